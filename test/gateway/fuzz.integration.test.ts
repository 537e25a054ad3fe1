import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Order } from '../../contracts/order/order.ts';
import { PromptIntake } from './prompt-intake.ts';
import { type FrameShape, frame, opcode, RawWebSocket } from './raw-websocket.ts';
import { sampleOrder, startServerOn, type TestServer } from './support.ts';

/** A failing property prints its seed and its smallest counterexample. */
const runs = { numRuns: 200, interruptAfterTimeLimit: 30_000, markInterruptAsFailure: false };

const intake = new PromptIntake();
let gateway: TestServer;
let authorization: string;
beforeAll(async () => {
  gateway = await startServerOn(intake);
  authorization = await gateway.bearer();
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** After any input the gateway holds no bytes of it, and takes the next order. */
afterEach(async () => {
  expect((await gateway.post(sampleOrder())).status).toBe(202);
  await vi.waitFor(
    async () => {
      const metrics = await (await fetch(`${gateway.admin}/metrics`)).text();
      for (const name of ['unanswered_orders', 'unanswered_bytes', 'streams'])
        expect(metrics).toMatch(new RegExp(`^ordermesh_gateway_${name}\\{role="gateway"\\} 0$`, 'm'));
    },
    { timeout: 10_000 },
  );
});

const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.constantFrom<unknown>(
    null,
    -1,
    1e308,
    '',
    '\0',
    '\ud800',
    [],
    {},
    { __proto__: null, constructor: 1 },
    '9'.repeat(400),
  ),
);

/** An order with some of its values, at any depth, exchanged for junk, dropped or doubled. */
const mangledOrder = fc
  .array(fc.tuple(fc.nat(), fc.constantFrom('exchange', 'drop', 'add'), junk), { minLength: 1, maxLength: 3 })
  .map((changes) => {
    const order: Order = sampleOrder();
    for (const [at, change, value] of changes) {
      const places = placesIn(order);
      const place = places[at % places.length];
      if (place === undefined) continue;
      const [holder, key] = place;
      if (change === 'drop') delete holder[key];
      // A copy: the constants among the junk are shared, and an object inside itself would be endless.
      else holder[change === 'add' ? `${key}x` : key] = structuredClone(value);
    }
    return order;
  });

type Place = [holder: Record<string, unknown>, key: string];

function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [[holder, key] satisfies Place, ...placesIn(holder[key])]);
}

test('any bytes as an order are refused with problem details, packed or not', async () => {
  const bodies = fc.oneof(fc.uint8Array({ maxLength: 2_000 }), fc.json({ maxDepth: 6 }).map(Buffer.from));
  await fc.assert(
    fc.asyncProperty(bodies, fc.constantFrom('', 'identity', 'gzip', 'br', 'packed'), async (bytes, coding) => {
      const body = coding === 'packed' ? gzipSync(bytes) : bytes;
      const headers = coding === '' ? {} : { 'content-encoding': coding === 'packed' ? 'gzip' : coding };
      const answer = await gateway.post(body, headers as Record<string, string>);
      expect([400, 422]).toContain(answer.status);
      expect(answer.body).toMatchObject({ status: answer.status, code: expect.any(String) });
    }),
    runs,
  );
});

test('a mangled order is taken, or refused with a reason', async () => {
  await fc.assert(
    fc.asyncProperty(mangledOrder, async (order) => {
      const answer = await gateway.post(order);
      expect([202, 403, 422]).toContain(answer.status);
      if (answer.status === 422) expect(answer.body.errors.length).toBeGreaterThan(0);
    }),
    runs,
  );
});

test('an order that names a member twice is malformed, whatever else it is', async () => {
  const members = fc.constantFrom(...Object.keys(sampleOrder()));
  await fc.assert(
    fc.asyncProperty(mangledOrder, members, junk, fc.boolean(), async (order, name, value, isEscaped) => {
      const text = JSON.stringify({ ...order, [name]: 1 });
      const spelled = isEscaped ? `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}` : name;
      const answer = await gateway.post(`${text.slice(0, -1)},"${spelled}":${JSON.stringify(value) ?? 'null'}}`);
      expect(answer).toMatchObject({ status: 400, body: { code: 'malformed-body' } });
      expect(answer.body.detail).toContain('twice');
    }),
    runs,
  );
});

test('each line of a batch is answered, whatever the others are', async () => {
  const line = fc.oneof(
    mangledOrder.map((order) => JSON.stringify(order)),
    fc.constant(undefined).map(() => JSON.stringify(sampleOrder())),
    fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.trim() !== '' && !/[\n\r]/.test(text)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 20 }), async (lines) => {
      const answer = await gateway.call('/v1/orders/batch', {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: lines.join('\n'),
      });
      expect(answer.status).toBe(207);
      expect(answer.body.results).toHaveLength(lines.length);
      for (const { status } of answer.body.results) expect([202, 400, 403, 422]).toContain(status);
    }),
    runs,
  );
});

/** Whole requests of every route. */
function requests(): Buffer[] {
  const order = JSON.stringify(sampleOrder());
  const packed = gzipSync(order);
  const head = (line: string, ...headers: string[]) =>
    `${[`${line} HTTP/1.1`, 'Host: x', `Authorization: ${authorization}`, ...headers].join('\r\n')}\r\n\r\n`;
  const json = 'Content-Type: application/json';
  return [
    head('POST /v1/orders', json, `Content-Length: ${order.length}`) + order,
    `${head('POST /v1/orders', json, 'Transfer-Encoding: chunked')}${order.length.toString(16)}\r\n${order}\r\n0\r\n\r\n`,
    Buffer.concat([
      Buffer.from(head('POST /v1/orders', json, 'Content-Encoding: gzip', `Content-Length: ${packed.length}`)),
      packed,
    ]),
    head('POST /v1/orders/batch', 'Content-Type: application/x-ndjson', `Content-Length: ${order.length}`) + order,
    head(`GET /v1/orders/${crypto.randomUUID()}`),
    head('HEAD /openapi.json'),
    head('OPTIONS /v1/orders'),
    head('DELETE /nope'),
    Buffer.concat([
      Buffer.from(
        head(
          'GET /v1/stream',
          'Upgrade: websocket',
          'Connection: Upgrade',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          'Sec-WebSocket-Protocol: ordermesh.v1.json',
        ),
      ),
      frame(opcode.text, JSON.stringify({ id: 1, type: 'order.submit', order: sampleOrder() })),
    ]),
  ].map((request) => Buffer.from(request));
}

const anyRequest = fc.nat().map((n) => {
  const all = requests();
  return all[n % all.length] ?? Buffer.alloc(0);
});

function open(): Promise<Socket> {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Sends the bytes, closes this side and returns all that was answered. */
async function exchange(bytes: Uint8Array): Promise<string> {
  const socket = await open();
  socket.on('error', () => {});
  const chunks: Buffer[] = [];
  socket.on('data', (data) => chunks.push(data));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.end(bytes);
  await closed;
  return Buffer.concat(chunks).toString('latin1');
}

test('a client may disconnect at any byte of any request', async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, fc.double({ min: 0, max: 1, noNaN: true }), async (request, share) => {
      const socket = await open();
      socket.on('error', () => {});
      const sent = new Promise((resolve) =>
        socket.write(request.subarray(0, Math.ceil(request.length * share)), resolve),
      );
      await sent;
      socket.resetAndDestroy();
    }),
    { ...runs, numRuns: 500 },
  );
});

test('a request with bytes changed, put in or left out is answered as HTTP, or its connection is closed', async () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.constantFrom('change', 'insert', 'remove'), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(anyRequest, edits, async (request, changes) => {
      const bytes = [...request];
      // Mostly in the head, where parsers differ.
      for (const [at, edit, byte] of changes)
        bytes.splice(at % Math.min(bytes.length, 700), edit === 'insert' ? 0 : 1, ...(edit === 'remove' ? [] : [byte]));
      expect(await exchange(Uint8Array.from(bytes))).toMatch(/^(HTTP\/1\.1 [1-5]\d\d |$)/);
    }),
    runs,
  );
});

test('requests that come in pieces are answered as in one piece', async () => {
  const cuts = fc.array(fc.nat(400), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(cuts, async (sizes) => {
      const order = sampleOrder();
      const body = JSON.stringify(order);
      const text = `POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      const socket = await open();
      socket.setNoDelay(true);
      const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
      let at = 0;
      for (const size of [...sizes, text.length]) {
        const piece = text.slice(at, at + size);
        at += size;
        await new Promise((resolve) => socket.write(piece, resolve));
      }
      expect(await answer).toMatch(/^HTTP\/1\.1 202 /);
      expect(intake.taken.at(-1)?.value.toString()).toBe(body);
      socket.destroy();
    }),
    { ...runs, numRuns: 50 },
  );
});

const shape: fc.Arbitrary<FrameShape> = fc.record(
  { isLast: fc.boolean(), isMasked: fc.boolean(), reserved: fc.nat(7) },
  { requiredKeys: [] },
);

test('any frames leave the connection open or closed, and do not affect other connections', async () => {
  const protocol = fc.constantFrom('ordermesh.v1.json', 'ordermesh.v1.msgpack');
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.uint8Array({ minLength: 120, maxLength: 140 }),
  );
  const frames = fc.array(fc.tuple(fc.nat(15), payload, shape), { minLength: 1, maxLength: 5 });
  using bystander = new RawWebSocket(gateway.url, 'ordermesh.v1.json', { headers: { authorization } });
  await bystander.head;
  let submitted = 0;
  await fc.assert(
    fc.asyncProperty(protocol, frames, async (subprotocol, list) => {
      using client = new RawWebSocket(gateway.url, subprotocol, { headers: { authorization } });
      await client.head;
      client.socket.end(Buffer.concat(list.map(([code, bytes, how]) => frame(code, bytes, how))));
      await client.closed;
      submitted++;
      bystander.submit(submitted, sampleOrder());
      await vi.waitFor(() => expect(bystander.messages).toHaveLength(submitted), { interval: 5 });
    }),
    runs,
  );
  expect(bystander.messages.every(({ type }) => type === 'order.accepted')).toBe(true);
});

test('every frame that can be read is answered', async () => {
  const packr = new Packr({ useRecords: false });
  const message = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        id: junk,
        type: fc.constantFrom<unknown>('order.submit', 'x', 1),
        order: fc.oneof(mangledOrder, junk),
        traceparent: junk,
      },
      { requiredKeys: [] },
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 10 }), fc.boolean(), async (messages, isText) => {
      const subprotocol = isText ? 'ordermesh.v1.json' : 'ordermesh.v1.msgpack';
      using client = new RawWebSocket(gateway.url, subprotocol, { headers: { authorization } });
      await client.head;
      for (const one of messages)
        client.send(isText ? opcode.text : opcode.binary, isText ? JSON.stringify(one) : packr.pack(one));
      await vi.waitFor(() => expect(client.frames).toHaveLength(messages.length), { interval: 5 });
    }),
    runs,
  );
});
