import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { limits } from '../../contracts/limits.ts';
import { PromptIntake } from './prompt-intake.ts';
import { HeldIntake, sampleOrder, startServerOn, type TestServer } from './support.ts';

let intake: PromptIntake;
let gateway: TestServer;
beforeAll(async () => {
  intake = new PromptIntake();
  gateway = await startServerOn(intake, { ORDERMESH_CORS_ORIGINS: 'https://till.example.com' });
});
afterAll(() => gateway[Symbol.asyncDispose]());

async function gauge(name: string): Promise<number> {
  const metrics = await (await fetch(`${gateway.admin}/metrics`)).text();
  return Number(new RegExp(`^ordermesh_gateway_${name}\\{role="gateway"\\} (\\d+)$`, 'm').exec(metrics)?.[1]);
}

describe.each([
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
])('a body packed with %s', (coding, pack) => {
  const headers = { 'content-encoding': coding };

  test('is logged as the unpacked order, byte for byte', async () => {
    const order = sampleOrder();
    const bytes = Buffer.from(` ${JSON.stringify(order, null, 2)}`);
    expect(await gateway.post(pack(bytes), headers)).toMatchObject({ status: 202, body: { orderId: order.orderId } });
    expect(intake.taken.at(-1)?.value).toEqual(bytes);
  });

  test('is taken as the unpacked batch', async () => {
    const lines = Array.from({ length: 100 }, () => JSON.stringify(sampleOrder())).join('\n');
    const answer = await gateway.call('/v1/orders/batch', {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-ndjson' },
      body: pack(lines) as unknown as string,
    });
    expect(answer.status).toBe(207);
    expect(answer.body.results.every(({ status }: { status: number }) => status === 202)).toBe(true);
  });

  test('is refused with 413 when the unpacked body is above the limit, with 400 when it is broken', async () => {
    // A thousandth of the limit as it comes in, a hundred times the limit if it were unpacked.
    const bomb = pack(Buffer.alloc(limits.orderBytesMax * 100));
    expect(bomb.length).toBeLessThan(limits.orderBytesMax);
    expect(await gateway.post(bomb, headers)).toMatchObject({ status: 413, body: { code: 'body-too-large' } });
    const packed = pack(JSON.stringify(sampleOrder()));
    for (const broken of [packed.subarray(0, -6), Buffer.from('{"orderId":"1"}'), Buffer.alloc(0)])
      expect(await gateway.post(broken, headers)).toMatchObject({ status: 400, body: { code: 'malformed-body' } });
    expect(await gauge('unanswered_bytes')).toBe(0);
  });
});

test('another Content-Encoding gets 415 with the list of accepted codings; identity means no coding', async () => {
  for (const coding of ['deflate', 'gzip, br', 'zstd', 'constructor']) {
    const answer = await gateway.post(sampleOrder(), { 'content-encoding': coding });
    expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } });
    expect(answer.headers.get('accept-encoding')).toBe('gzip, br');
  }
  expect((await gateway.post(sampleOrder(), { 'content-encoding': 'identity' })).status).toBe(202);
});

test('a page of a configured origin may call, a page of another origin may not', async () => {
  const origin = 'https://till.example.com';
  const preflight = (from: string) =>
    gateway.call('/v1/orders', {
      method: 'OPTIONS',
      headers: {
        origin: from,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    });
  const { status, headers } = await preflight(origin);
  expect(status).toBe(200);
  expect(Object.fromEntries(headers)).toMatchObject({
    'access-control-allow-origin': origin,
    'access-control-allow-methods': expect.stringContaining('POST'),
    'access-control-allow-headers': expect.stringContaining('authorization'),
    'access-control-max-age': expect.stringMatching(/^\d+$/),
    vary: 'origin',
  });
  expect((await preflight('https://evil.example.com')).headers.get('access-control-allow-origin')).toBeNull();
  for (const answer of [
    await gateway.post(sampleOrder(), { origin }),
    await gateway.post('{', { origin }),
    await gateway.call('/nope', { headers: { origin } }),
  ]) {
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answer.headers.get('access-control-expose-headers')).toContain('x-request-id');
    expect(answer.headers.get('vary')).toBe('origin');
  }
  const foreign = await gateway.post(sampleOrder(), { origin: 'null' });
  expect(foreign.status).toBe(202);
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  expect(foreign.headers.get('vary')).toBe('origin');
});

test('an x-request-id goes into the record and comes back; a refusal always has one', async () => {
  const accepted = await gateway.post(sampleOrder(), { 'x-request-id': 'till-7/42' });
  expect(accepted.headers.get('x-request-id')).toBe('till-7/42');
  expect(intake.taken.at(-1)?.requestId).toBe('till-7/42');
  await gateway.post(sampleOrder());
  expect(intake.taken.at(-1)?.requestId).toBe('');
  expect((await gateway.post('{', { 'x-request-id': 'till-7/43' })).headers.get('x-request-id')).toBe('till-7/43');
  for (const bad of ['', 'x'.repeat(129), 'two words', '\u00e4'])
    expect((await gateway.post('{', { 'x-request-id': bad })).headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
});

test('a flood of one store gets 429 with Retry-After, and another store does not notice', async () => {
  await using limited = await startServerOn(new PromptIntake(), {
    ORDERMESH_STORE_ORDERS_PER_SECOND: '1',
    ORDERMESH_RATE_BURST: '20s',
  });
  const quiet = 'us-ny-0002';
  const authorization = await limited.bearer({ store: quiet });
  const flood = Array.from({ length: 200 }, () => limited.post(sampleOrder()));
  const others = Array.from({ length: 10 }, () => limited.post(sampleOrder({ storeId: quiet }), { authorization }));
  for (const { status } of await Promise.all(others)) expect(status).toBe(202);
  const answers = await Promise.all(flood);
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(20);
  expect(refused.length).toBeGreaterThan(100);
  expect(refused[0]?.body).toMatchObject({ code: 'rate-limited', retryAfterS: expect.any(Number) });
  expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
  const lines = [sampleOrder(), sampleOrder()].map((order) => JSON.stringify(order)).join('\n');
  const batch = await limited.call('/v1/orders/batch', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines,
  });
  expect(batch.body.results.at(-1)).toMatchObject({ status: 429, problem: { retryAfterS: expect.any(Number) } });
});

test('while the oldest order is too old, most orders are refused at once; when it is answered, all are taken', async () => {
  const held = new HeldIntake();
  await using slow = await startServerOn(held, { ORDERMESH_UNANSWERED_AGE_MAX: '300ms' });
  const taken = [slow.post(sampleOrder())];
  await vi.waitFor(
    async () => {
      const answer = slow.post(sampleOrder());
      // An order that is taken is answered when the test settles it; a refusal comes at once.
      const early = await Promise.race([answer, delay(50, undefined)]);
      if (early === undefined) taken.push(answer);
      expect(early).toMatchObject({ status: 503, body: { code: 'overloaded', retryAfterS: expect.any(Number) } });
      expect(Number(early?.headers.get('retry-after'))).toBeGreaterThan(0);
    },
    { timeout: 10_000, interval: 50 },
  );
  held.settle();
  for (const answer of taken) expect((await answer).status).toBe(202);
  const settling = setInterval(() => held.settle(), 10);
  await vi.waitFor(async () => expect((await slow.post(sampleOrder())).status).toBe(202), { timeout: 5_000 });
  clearInterval(settling);
});
