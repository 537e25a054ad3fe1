// The pages about orders of other platforms, from the mappers' tables and the samples of their tests. Called by generate.ts.

import { type Field, mappers, type Platform } from '../../lab/mapping/index.ts';
import { type Sample, samples } from '../../test/mapping/samples.ts';
import { overview } from './overview.ts';

const generated = '`npm run docs` writes this page.';

/** Pages by their path: the overview, and one a platform. */
export const mappingPages: Readonly<Record<string, () => string>> = {
  'docs/mapping/README.md': () => `${overview}\n${comparison()}\n`,
  ...Object.fromEntries(samples.map((sample) => [`docs/mapping/${sample.platform}.md`, () => platformPage(sample)])),
};

/** Our fields in the order in which the samples' orders have them, and what each platform calls them. */
function comparison(): string {
  const platforms = Object.entries(mappers) as [Platform, (typeof mappers)[Platform]][];
  const places = new Set(
    platforms.flatMap(([, { fields }]) => fields.flatMap((field) => ('to' in field ? [field.to] : []))),
  );
  const rows = [...places].sort(byGroup).map((place) => {
    const cells = platforms.map(([, { fields }]) =>
      fields.flatMap((field) => ('to' in field && field.to === place ? [code(field.from)] : [])).join(', '),
    );
    return row(code(place), ...cells);
  });
  const heads = platforms.map(([platform, { name }]) => `[${name}](${platform}.md)`);
  return [row('our field', ...heads), row('---', ...heads.map(() => '---')), ...rows].join('\n');
}

/** What belongs together, such as adjustments, stands together. */
function byGroup(one: string, other: string): number {
  const groups = [
    'orderId',
    'number',
    'placedAt',
    'guest',
    'customerId',
    'fulfilment',
    'items',
    'menu',
    'adjustments',
    'total',
    'currency',
    'payment',
  ];
  const rank = (place: string) => (groups.indexOf(place.split(/[.[]/, 1)[0] ?? '') + 99) % 99;
  return rank(one) - rank(other) || (one < other ? -1 : 1);
}

function platformPage({ platform, fields, sample, order, till }: Sample): string {
  const { name, source } = mappers[platform];
  return `# ${name}

${generated} The mapper is \`lab/mapping/${platform}.ts\`, the sample \`test/mapping/samples/${platform}.json\`, and
\`test/mapping/mapping.test.ts\` holds them together. [What all platforms have in common](README.md).

The platform publishes its fields at <${source}>;
read on 2026-11-30 in a stored copy without a date. The values, and the choice of fields, are ours:
see [the samples](README.md#the-samples).

## Fields

In a path, \`[]\` is every element of a list, \`**\` any depth, \`*\` any letters. The first row that fits counts.

${table(
  'mapped to',
  fields.filter((field) => 'to' in field),
)}

## Left out

${table(
  'because',
  fields.filter((field) => !('to' in field)),
)}

## What the integrator adds

${json(till)}

## Before

${json(sample)}

## After

${json(order)}
`;
}

function table(head: string, fields: readonly Field[]): string {
  const rows = fields.map((field) => {
    if (!('to' in field)) return row(code(field.from), field.because);
    return row(code(field.from), field.how === undefined ? code(field.to) : `${code(field.to)} (${field.how})`);
  });
  return [row('field', head), row('---', '---'), ...rows].join('\n');
}

function row(...cells: string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function json(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;
}
