import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import type { SpooledOrder } from '../../edge/spool/order.ts';
import { kitchenStatus, regionStatus, statusLookup } from '../../edge/status-lookup.ts';

let server: Server | undefined;
afterEach(() => server?.close());

const order = { orderId: 'a', storeId: 's', status: 'paid', history: [] };
const region = { 'x-ordermesh-region': 'east' };

async function answering(status: number, headers: Record<string, string>, body: string): Promise<string> {
  const running = createServer((_, response) => {
    response.writeHead(status, headers);
    response.end(body);
  });
  server = running;
  await new Promise<void>((resolve) => running.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(running.address() as AddressInfo).port}`;
}

test.each([
  ['the order', 200, region, JSON.stringify(order), order],
  ['that there is none', 404, region, '{"code":"order-unknown","detail":"no such order"}', null],
  ['a 404 page of a proxy', 404, {}, '<html>', undefined],
  ['the 404 problem of another API', 404, {}, '{"code":"not-found","detail":"no such path"}', undefined],
  ['a 404 page with the name of a region', 404, region, '<html>', undefined],
  ['JSON of a portal', 200, {}, JSON.stringify(order), undefined],
  ['JSON that is no order', 200, region, '{"orderId":"a"}', undefined],
  ['another order', 200, region, JSON.stringify({ ...order, orderId: 'b' }), undefined],
  ['null', 200, region, 'null', undefined],
])('the region is asked for an order and says: %s', async (_, status, headers, body, expected) => {
  const upstream = await answering(status, headers as Record<string, string>, body);
  const ofRegion = regionStatus({ upstream, token: async () => 'token', isLineUp: () => true });
  expect(await ofRegion('a')).toEqual(expected);
});

test('an order that only the region can know is not called unknown because a proxy says 404', async () => {
  const upstream = await answering(404, {}, '<html>');
  const ofRegion = regionStatus({ upstream, token: async () => 'token', isLineUp: () => true });
  const lookup = statusLookup({ spool: { find: async () => undefined }, ofRegion });
  await expect(lookup('a', undefined)).rejects.toThrow('the region cannot be asked');
});

test('while the spool cannot be read, that is logged, and the kitchen gets no status of an order', async () => {
  const said: string[] = [];
  const logger = pino({ base: null }, { write: (line: string) => void said.push(JSON.parse(line).msg) });
  const refused: Partial<SpooledOrder> = { orderId: 'a', state: 'refused' };
  let isFailing = true;
  const find = async () => {
    if (isFailing) throw new Error('disk I/O error');
    return refused as SpooledOrder;
  };
  // After a conflict the region knows another order under this id.
  const ofRegion = async () => ({ orderId: 'a', storeId: 's', status: 'cooked' as const, history: [] });
  const statusOf = kitchenStatus({ spool: { find }, ofRegion, logger });
  expect([await statusOf('a'), await statusOf('a')]).toEqual([undefined, undefined]);
  expect(said).toEqual(['the kitchen cannot read the spool; trying again']);
  isFailing = false;
  expect(await statusOf('a')).toBe('rejected');
  expect(said.at(-1)).toMatch(/^the kitchen can read the spool again after/);
});
