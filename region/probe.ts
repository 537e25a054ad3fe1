// Sends probe orders to the region that took over. Called by finish.ts at the end of a failover.

import { randomUUID } from 'node:crypto';
import { lookup, Resolver } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { partitionOf } from '../kafka/index.ts';
import { canonicalAddress, withAddress } from './dns/server-address.ts';
import type { Regions } from './regions.ts';

export interface ProbeOptions {
  regions: Regions;
  /** Where the name must lead by now. */
  address: string;
  region: string;
  /** An order without orderId and placedAt. */
  order: Readonly<Record<string, unknown>>;
  token: string | undefined;
  partitions: number;
  msMax: number;
}

export interface ProbeReport {
  orders: number;
  /** How many ended as what. */
  outcomes: Record<string, number>;
}

const POLL_MS = 200;
const REQUEST_MS_MAX = 5_000;
const unfinished = new Set(['', 'accepted', 'validated', 'unknown']);

/**
 * Sends one order for each partition through the mesh's public name, as a store would, and waits until each has been decided and, where it is
 * validated, paid for. @throws naming what did not come
 */
export async function probe(options: ProbeOptions): Promise<ProbeReport> {
  const { partitions, order, msMax } = options;
  const deadline = performance.now() + msMax;
  const address = await resolved(options, deadline);
  const ids = onePerPartition(partitions);
  const send = (method: string, path: string, body?: unknown) => ask(options, address, method, path, body);
  for (const orderId of ids) {
    const body = { ...order, orderId, placedAt: new Date().toISOString() };
    await again(deadline, `the gateway of ${options.region} takes no probe order`, async () => {
      const { status, text } = await send('POST', '/v1/orders', body);
      if (status !== 202) throw new Error(`it answers ${status}: ${text}`);
    });
  }
  const outcomes: Record<string, number> = {};
  for (const orderId of ids) {
    await again(deadline, `probe order ${orderId} has no outcome`, async () => {
      const { status, text } = await send('GET', `/v1/orders/${orderId}`);
      const state = status === 200 ? String((JSON.parse(text) as { status?: string }).status) : '';
      if (unfinished.has(state)) throw new Error(`it is ${state || `answered ${status}: ${text}`}`);
      outcomes[state] = (outcomes[state] ?? 0) + 1;
    });
  }
  return { orders: ids.length, outcomes };
}

function onePerPartition(partitions: number): string[] {
  const ids = new Map<number, string>();
  while (ids.size < partitions) {
    const id = randomUUID();
    ids.set(partitionOf(id, partitions), id);
  }
  return [...ids.values()];
}

/** What the zone's own server says, so that no cache is asked. */
async function resolved({ regions, address }: ProbeOptions, deadline: number): Promise<string> {
  const { publicUrl, dns } = regions;
  const name = publicUrl.hostname;
  if (isIP(name) !== 0) return name;
  const family = isIP(address);
  let found = '';
  await again(deadline, `${name} does not lead to ${address}`, async () => {
    if ('server' in dns) {
      const resolver = new Resolver({ timeout: 1_000, tries: 2 });
      resolver.setServers([await withAddress(dns.server)]);
      const all = family === 6 ? await resolver.resolve6(name) : await resolver.resolve4(name);
      found = all[0] ?? '';
    } else found = (await lookup(name, { family })).address;
    if (canonicalAddress(found) !== canonicalAddress(address)) throw new Error(`it leads to ${found}`);
  });
  return found;
}

async function again(deadline: number, what: string, attempt: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
      await delay(POLL_MS);
    }
  }
}

function ask(
  { regions, region, token }: ProbeOptions,
  address: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; text: string }> {
  const url = new URL(path, regions.publicUrl);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const content = body === undefined ? '' : JSON.stringify(body);
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  return new Promise((resolve, reject) => {
    const outgoing = send(
      url,
      {
        method,
        headers,
        agent: false,
        timeout: REQUEST_MS_MAX,
        lookup: (_name, { all }, done) => {
          const family = isIP(address);
          if (all) done(null, [{ address, family }]);
          else done(null, address, family);
        },
      },
      async (response) => {
        response.setEncoding('utf8');
        let text = '';
        for await (const chunk of response) text += chunk;
        const answeredBy = response.headers['x-ordermesh-region'];
        if (answeredBy !== region) reject(new Error(`region ${answeredBy} answers instead of ${region}`));
        else resolve({ status: response.statusCode ?? 0, text });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 5 s')));
    outgoing.on('error', reject);
    outgoing.end(content);
  });
}
