import { readFileSync } from 'node:fs';
import { type Menu, parseMenu } from '../../contracts/order/menu.ts';
import type { Order } from '../../contracts/order/order.ts';
import { type Field, mappers, type Platform } from '../../lab/mapping/index.ts';
import type { Till } from '../../lab/mapping/mapper.ts';

/** What an integrator would know of each platform's store. */
const tills: Readonly<Record<Platform, Till>> = {
  square: { storeId: 'au-nsw-0001', currency: 'AUD' },
  toast: {
    storeId: 'us-ma-0002',
    currency: 'USD',
    names: {
      'b1d8c7f0-3a52-4e0b-8f67-0c1e2d3f4a5b': 'eat-in',
      '0d9e8f7a-6b5c-4d3e-a2f1-1b2c3d4e5f60': '12',
    },
  },
  deliverect: { storeId: 'ca-on-0003', currency: 'CAD', token: 'tok_mapping' },
  'uber-eats': { storeId: 'us-tx-0004', currency: 'USD', combos: ['box-family'] },
};

export interface Sample {
  platform: Platform;
  till: Till;
  fields: readonly Field[];
  // biome-ignore lint/suspicious/noExplicitAny: a document of another company
  sample: any;
  order: Order;
}

export const samples: readonly Sample[] = (Object.keys(mappers) as Platform[]).map((platform) => {
  const sample = readSample(`${platform}.json`) as never;
  const till = tills[platform];
  const { map, fields } = mappers[platform];
  return { platform, till, fields, sample, order: map(sample, till) };
});

/** A menu of what the samples order. */
export function sampleMenu(): Menu {
  return parseMenu(readSample('menu.json'));
}

function readSample(file: string): unknown {
  return JSON.parse(readFileSync(new URL(`samples/${file}`, import.meta.url), 'utf8'));
}
