import { Packr } from 'msgpackr';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { EventType } from '../../contracts/events.ts';
import { topics } from '../../contracts/topics.ts';
import { createProducer } from '../../kafka/index.ts';
import { servers } from '../support/servers.ts';
import {
  applyTestTopics,
  HeldIntake,
  sampleOrder,
  startServerOn,
  startTestGateway,
  type TestServer,
  watchRawOrders,
} from './support.ts';

const packr = new Packr({ useRecords: false });

const codecs = {
  'ordermesh.v1.json': {
    encode: (frame: unknown) => JSON.stringify(frame),
    decode: (data: string) => JSON.parse(data),
  },
  'ordermesh.v1.msgpack': {
    encode: (frame: unknown) => new Uint8Array(packr.pack(frame)),
    decode: (data: ArrayBuffer) => packr.unpack(Buffer.from(data)),
  },
} as const;

type Protocol = keyof typeof codecs;

// biome-ignore lint/suspicious/noExplicitAny: tests read what the server answered.
type Frame = any;

/** A client of the stream that keeps all messages. */
class Client implements AsyncDisposable {
  readonly frames: Frame[] = [];
  readonly socket: WebSocket;
  readonly closed: Promise<CloseEvent>;
  readonly #protocol: Protocol;

  private constructor(url: string, protocol: Protocol, authorization: string) {
    this.#protocol = protocol;
    // As in a browser, the token is one more subprotocol.
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, [
      protocol,
      authorization.replace('Bearer ', 'bearer.'),
    ]);
    this.socket.binaryType = 'arraybuffer';
    this.socket.addEventListener('message', ({ data }) => this.frames.push(codecs[protocol].decode(data as never)));
    this.closed = new Promise((resolve) => this.socket.addEventListener('close', resolve));
  }

  static async open(server: TestServer, protocol: Protocol, authorization?: string): Promise<Client> {
    const client = new Client(server.url, protocol, authorization ?? (await server.bearer()));
    await new Promise<void>((resolve, reject) => {
      client.socket.addEventListener('open', () => resolve());
      client.socket.addEventListener('error', () => reject(new Error('the upgrade was refused')));
    });
    return client;
  }

  send(frame: unknown): void {
    this.socket.send(codecs[this.#protocol].encode(frame));
  }

  submit(id: number | string, order: unknown): void {
    this.send({ id, type: 'order.submit', order });
  }

  /** The next answers, by id. */
  async answers(count: number): Promise<Map<unknown, Frame>> {
    await vi.waitFor(() => expect(this.frames.length).toBeGreaterThanOrEqual(count), { timeout: 10_000 });
    return new Map(this.frames.splice(0, count).map((frame) => [frame.id, frame]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}

describe.each(Object.keys(codecs) as Protocol[])('%s', (protocol) => {
  let gateway: TestServer;
  let raw: Awaited<ReturnType<typeof watchRawOrders>>;
  beforeAll(async () => {
    raw = await watchRawOrders();
    gateway = await startTestGateway();
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await raw[Symbol.asyncDispose]();
  });

  test('pipelined submits are answered by id, and are in the log', async () => {
    await using client = await Client.open(gateway, protocol);
    expect(client.socket.protocol).toBe(protocol);
    const orders = Array.from({ length: 200 }, () => sampleOrder());
    for (const [id, order] of orders.entries()) client.submit(id, order);
    const answers = await client.answers(orders.length);
    for (const [id, { orderId }] of orders.entries())
      expect(answers.get(id)).toEqual({ id, type: 'order.accepted', orderId });
    for (const order of orders)
      await vi.waitFor(() => expect(JSON.parse(String(raw.records.get(order.orderId)?.[0]?.value))).toEqual(order), {
        timeout: 10_000,
      });
  });

  test('an order of HTTP is the same order here, and other content is a conflict', async () => {
    await using client = await Client.open(gateway, protocol);
    const order = sampleOrder();
    expect((await gateway.post(order)).status).toBe(202);
    client.submit('same', order);
    client.submit('other', { ...order, total: 1 });
    const answers = await client.answers(2);
    expect(answers.get('same')).toMatchObject({ type: 'order.accepted', orderId: order.orderId });
    expect(answers.get('other')).toMatchObject({ type: 'error', problem: { status: 409, code: 'order-conflict' } });
  });

  test('bad frames are answered and the connection stays', async () => {
    await using client = await Client.open(gateway, protocol);
    client.socket.send(protocol === 'ordermesh.v1.json' ? '{"id":' : new Uint8Array([0xc1]));
    client.send([1]);
    client.send({ id: 1, type: 'order.cancel' });
    client.send({ type: 'order.submit', order: sampleOrder() });
    client.send({ id: 2, type: 'order.submit', order: 'x' });
    client.submit(3, { ...sampleOrder(), total: -1 });
    client.submit(4, sampleOrder({ storeId: 'us-ny-0002' }));
    client.submit(5, sampleOrder());
    await vi.waitFor(() => expect(client.frames).toHaveLength(8), { timeout: 10_000 });
    const answers = new Map(client.frames.map((frame) => [frame.id, frame]));
    expect(client.frames.filter(({ id }) => id === undefined)).toHaveLength(3);
    for (const frame of client.frames.filter(({ id }) => id !== 5)) expect(frame.type).toBe('error');
    expect(answers.get(1).problem).toMatchObject({ status: 400, code: 'malformed-request' });
    expect(answers.get(2).problem).toMatchObject({ status: 400 });
    expect(answers.get(3).problem).toMatchObject({ status: 422, errors: [{ pointer: '/total' }] });
    expect(answers.get(4).problem).toMatchObject({ status: 403 });
    expect(answers.get(5).type).toBe('order.accepted');
  });

  test('a frame of the other kind (text or binary) is answered, too', async () => {
    await using client = await Client.open(gateway, protocol);
    client.socket.send(protocol === 'ordermesh.v1.json' ? new Uint8Array([0x80]) : '{}');
    await vi.waitFor(() => expect(client.frames).toHaveLength(1));
    expect(client.frames[0].problem.code).toBe('malformed-request');
  });

  test('256 submits may be unanswered; the surplus gets 429 and the connection stays open', async () => {
    const intake = new HeldIntake();
    await using server = await startServerOn(intake);
    await using client = await Client.open(server, protocol);
    for (let id = 0; id < 300; id++) client.submit(id, sampleOrder());
    const surplus = await client.answers(44);
    expect([...surplus.keys()]).toEqual(Array.from({ length: 44 }, (_, n) => 256 + n));
    for (const frame of surplus.values())
      expect(frame).toMatchObject({ type: 'error', problem: { status: 429, code: 'rate-limited' } });
    expect(intake.taken).toHaveLength(256);
    intake.settle();
    const answers = await client.answers(256);
    for (const frame of answers.values()) expect(frame.type).toBe('order.accepted');
    client.submit('again', sampleOrder());
    await vi.waitFor(() => expect(intake.taken).toHaveLength(257));
    intake.settle();
    expect((await client.answers(1)).get('again').type).toBe('order.accepted');
  });

  test('closing answers orders in flight, then closes with 1012', async () => {
    const intake = new HeldIntake();
    const server = await startServerOn(intake);
    const client = await Client.open(server, protocol);
    client.submit(1, sampleOrder());
    await vi.waitFor(() => expect(intake.taken).toHaveLength(1));
    const closed = server.role.close();
    client.submit(2, sampleOrder());
    expect((await client.answers(1)).get(2)).toMatchObject({ problem: { status: 503, code: 'draining' } });
    intake.settle();
    expect((await client.answers(1)).get(1).type).toBe('order.accepted');
    expect((await client.closed).code).toBe(1012);
    await closed;
    await server[Symbol.asyncDispose]();
  });

  test('a client that disconnects in the middle leaves nothing behind', async () => {
    const intake = new HeldIntake();
    await using server = await startServerOn(intake);
    const client = await Client.open(server, protocol);
    client.submit(1, sampleOrder());
    await vi.waitFor(() => expect(intake.taken).toHaveLength(1));
    await client[Symbol.asyncDispose]();
    intake.settle();
    await vi.waitFor(async () => {
      const metrics = await (await fetch(`${server.admin}/metrics`)).text();
      expect(metrics).toMatch(/unanswered_orders\{role="gateway"\} 0/);
      expect(metrics).toMatch(/gateway_streams\{role="gateway"\} 0/);
    });
    expect((await server.call('/openapi.json')).status).toBe(200);
  });
});

test('a frame that a decoder would silently change is malformed', async () => {
  const intake = new HeldIntake();
  await using server = await startServerOn(intake);
  await using text = await Client.open(server, 'ordermesh.v1.json');
  text.socket.send('{"id":1,"type":"order.submit","order":{"total":1,"total":1198}}');
  expect((await text.answers(1)).get(undefined).problem).toMatchObject({
    code: 'malformed-request',
    detail: expect.stringContaining('/order/total twice'),
  });
  const packed = packr.pack({ id: 1, type: 'order.submit', order: sampleOrder() }).toString('latin1');
  await using binary = await Client.open(server, 'ordermesh.v1.msgpack');
  for (const [from, to, detail] of [
    ['tok_visa', 'tok_vis\xff', 'not valid UTF-8'],
    ['\xaacustomerId', '\xa7storeId', '/order/storeId twice'],
  ] as const) {
    expect(packed).toContain(from);
    binary.socket.send(new Uint8Array(Buffer.from(packed.replace(from, to), 'latin1')));
    expect((await binary.answers(1)).get(undefined).problem).toMatchObject({
      code: 'malformed-request',
      detail: expect.stringContaining(detail),
    });
  }
  expect(intake.taken).toEqual([]);
});

test('status updates reach the streams of the order’s store, and no other', async () => {
  await applyTestTopics();
  await using server = await startTestGateway();
  const producer = await createProducer({ clientId: 'test', cluster: servers().cluster, deadlineMs: 10_000 });
  try {
    const ours = `us-il-${crypto.randomUUID().slice(0, 8)}`;
    await using client = await Client.open(server, 'ordermesh.v1.json', await server.bearer({ store: ours }));
    await using stranger = await Client.open(
      server,
      'ordermesh.v1.msgpack',
      await server.bearer({ store: `${ours}-x` }),
    );
    const { orderId } = sampleOrder();
    const other = sampleOrder().orderId;
    const event = (type: EventType, storeId: string) => ({
      topic: type === 'order.rejected' ? topics.rejectedOrders : topics.validatedOrders,
      key: orderId,
      value: JSON.stringify({ orderId, storeId }),
      headers: { ce_type: type },
    });
    // The feed starts at the end of the topics once a stream is open: repeat the first event until it arrives.
    await vi.waitFor(
      async () => {
        // For one order these two statuses would contradict each other, and the feed would drop the later one.
        await producer.send([event('order.paid', ours), { ...event('order.rejected', ours), key: other }]);
        const heard = new Set(client.frames.map(({ status }) => status));
        expect(heard).toEqual(new Set(['paid', 'rejected']));
      },
      { timeout: 15_000, interval: 200 },
    );
    for (const frame of client.frames)
      expect(frame).toMatchObject({ type: 'order.status', orderId: frame.status === 'paid' ? orderId : other });
    await producer.send([
      { topic: topics.validatedOrders, key: orderId, value: 'not JSON', headers: { ce_type: 'order.paid' } },
      event('order.cooked', `${ours}-x`),
    ]);
    // A later content with the same orderId: its sender gets the status, with the reason.
    const reasons = [{ code: 'other-store', detail: 'the orderId stands for an order of another store' }];
    await producer.send([
      {
        topic: topics.rejectedOrders,
        key: orderId,
        value: JSON.stringify({ orderId, storeId: ours, reasons }),
        headers: { ce_type: 'order.conflicting' },
      },
    ]);
    await vi.waitFor(
      () =>
        expect(client.frames.at(-1)).toEqual({
          type: 'order.status',
          orderId,
          status: 'conflicting',
          detail: 'the orderId stands for an order of another store',
        }),
      { timeout: 15_000 },
    );
    await vi.waitFor(() => expect(stranger.frames).toHaveLength(1), { timeout: 15_000 });
    expect(stranger.frames[0]).toEqual({ type: 'order.status', orderId, status: 'cooked' });
    expect(client.frames.some(({ status }) => status === 'cooked')).toBe(false);
  } finally {
    await producer.close();
  }
});

test('an upgrade needs a token and a subprotocol', async () => {
  const intake = new HeldIntake();
  await using server = await startServerOn(intake);
  await expect(Client.open(server, 'ordermesh.v1.json', 'none')).rejects.toThrow('refused');
  for (const token of ['Bearer abc', `${await server.bearer()}x`, await server.bearer({ expiresIn: -1 })]) {
    const stranger = await Client.open(server, 'ordermesh.v1.json', token);
    stranger.submit(1, sampleOrder());
    expect((await stranger.closed).code).toBe(4401);
    expect(stranger.frames).toEqual([]);
  }
  expect(intake.taken).toEqual([]);
  await expect(Client.open(server, 'ordermesh.v9.json' as Protocol)).rejects.toThrow('refused');
  await using client = await Client.open(server, 'ordermesh.v1.json');
  expect(client.socket.readyState).toBe(WebSocket.OPEN);
});

test('connections with a token that the server has not seen before stay open', async () => {
  const intake = new HeldIntake();
  await using server = await startServerOn(intake);
  for (let round = 1; round <= 50; round++) {
    await using client = await Client.open(
      server,
      'ordermesh.v1.json',
      await server.bearer({ expiresIn: 100 + round }),
    );
    client.submit(round, sampleOrder());
    await vi.waitFor(() => expect(intake.taken).toHaveLength(round));
    intake.settle();
    expect((await client.answers(1)).get(round).type).toBe('order.accepted');
  }
});

test('a token that expires while the connection is open takes no more orders', async () => {
  await using server = await startServerOn(new HeldIntake());
  await using client = await Client.open(server, 'ordermesh.v1.json', await server.bearer({ expiresIn: 1 }));
  await vi.waitFor(
    async () => {
      client.submit(1, { ...sampleOrder(), total: -1 });
      expect((await client.answers(1)).get(1).problem.status).toBe(401);
    },
    { timeout: 10_000, interval: 200 },
  );
});
