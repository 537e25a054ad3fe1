// Runs SteeredLoad.java: orders over HTTP, never more than it was allowed to send. Used by the sustained run of the pipeline.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createTraffic } from '../../lab/traffic/index.ts';
import { javaCommand } from '../../stack/index.ts';
import { lastJson } from '../child.ts';
import { compiledLoad } from '../load/http-load.ts';

/** Enough different baskets and stores; each is sent again and again under a new id, by a new guest. */
const BASKETS = 20_000;
/** More than the orders that the gateway answers together. */
const CONNECTIONS = 256;
const ID = '@'.repeat(36);
const GUEST = '@'.repeat(16);

export interface SteeredLoad {
  pid: number;
  /** How many orders it may have sent, from the first one on. */
  allow(orders: number): void;
  /** Sends no more, and resolves when all are answered. @returns the ids of the accepted orders. @throws when some were refused */
  finish(): Promise<string[]>;
}

interface Result {
  sent: number;
  accepted: number;
  refused: number;
  orderIdPrefix: string;
}

export interface SteeredLoadOptions {
  gateway: URL;
  token(storeId: string): Promise<string | undefined>;
  /** For its files. */
  directory: string;
  seed: number;
}

export async function startSteeredLoad({ gateway, token, directory, seed }: SteeredLoadOptions): Promise<SteeredLoad> {
  const [orders, accepted] = [path.join(directory, 'orders.txt'), path.join(directory, 'accepted')];
  await writeFile(orders, (await orderLines(seed, token)).join('\n'));
  const options = { url: new URL('/v1/orders', gateway).href, connections: String(CONNECTIONS), orders, accepted };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const classes = await compiledLoad('perf/pipeline/SteeredLoad.java');
  const java = ['-Xmx512m', '-XX:+UseSerialGC', '-cp', classes, 'SteeredLoad', ...args];
  const child = spawn(javaCommand(), java, { stdio: ['pipe', 'pipe', 'inherit'] });
  const output = outputOf(child);
  return {
    pid: child.pid ?? 0,
    allow: (count) => void child.stdin?.write(`${Math.floor(count)}\n`),
    async finish() {
      child.stdin?.end();
      const result = lastJson<Result>(await output);
      if (result.accepted !== result.sent) throw new Error(`the gateway refused orders: ${JSON.stringify(result)}`);
      return idsOf(await readFile(accepted), result.orderIdPrefix);
    },
  };
}

async function orderLines(seed: number, token: SteeredLoadOptions['token']): Promise<string[]> {
  const traffic = createTraffic({ seed });
  const lines: string[] = [];
  for (let count = 0; count < BASKETS; count++) {
    const { body, orderId, storeId, order } = traffic.order(Date.now());
    const guest = order.customerId?.replace('c-', '') ?? '';
    lines.push(`${await token(storeId)}\t${body.replace(orderId, ID).replaceAll(guest, GUEST)}`);
  }
  return lines;
}

async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`SteeredLoad.java exited with ${code}`);
  return output;
}

function idsOf(numbers: Buffer, prefix: string): string[] {
  return Array.from(
    { length: numbers.length / 8 },
    (_, index) =>
      prefix +
      numbers
        .readBigInt64BE(8 * index)
        .toString(16)
        .padStart(12, '0'),
  );
}
