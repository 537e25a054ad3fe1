import { expect, test } from 'vitest';
import { connectGateway, transports, type Via } from '../../../lab/traffic/transport/transport.ts';
import { HeldIntake, sampleOrder, startServerOn, type TestServer } from '../../gateway/support.ts';

/** The gateway's server with an intake that answers when the test says so, and a connection to it. */
async function connected(via: Via, { connections = 2, timeoutMs = 20_000, token = '' } = {}) {
  const intake = new HeldIntake();
  const server: TestServer = await startServerOn(intake);
  const url = via === 'grpc' ? (server.role.addresses.grpc ?? '').replace('grpc:', 'http:') : server.url;
  const bearer = token || (await server.bearer()).replace('Bearer ', '');
  const connection = connectGateway({ via, gateway: new URL(url), connections, timeoutMs });
  return {
    intake,
    server,
    post: (order: unknown) => connection.post(typeof order === 'string' ? order : JSON.stringify(order), bearer),
    async [Symbol.asyncDispose]() {
      connection.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Answers what the gateway has taken, until all have their answer. */
async function answerAll<T>(intake: HeldIntake, answers: Promise<T>[]): Promise<T[]> {
  let done = false;
  const all = Promise.all(answers).finally(() => {
    done = true;
  });
  await expect
    .poll(
      () => {
        intake.settle();
        return done;
      },
      { timeout: 20_000 },
    )
    .toBe(true);
  return all;
}

test.each(transports)('%s: an accepted order is answered 202, and with its id', async (via) => {
  await using gateway = await connected(via);
  const order = sampleOrder({ channel: 'drive-thru' });
  const [answer] = await answerAll(gateway.intake, [gateway.post(order)]);
  expect(answer?.status).toBe(202);
  expect(answer?.orderId ?? JSON.parse(answer?.body ?? '').orderId).toBe(order.orderId);
  expect(gateway.intake.taken).toHaveLength(1);
});

test.each(transports)('%s: refusals have the status and the code of the error table', async (via) => {
  await using gateway = await connected(via);
  const invalid = await gateway.post(sampleOrder({ currency: 'dollars' }));
  expect(invalid).toMatchObject({ status: 422, body: expect.stringContaining('"invalid-order"') });
  const otherStore = await gateway.post(sampleOrder({ storeId: 'us-il-0002' }));
  expect(otherStore).toMatchObject({ status: 403, body: expect.stringContaining('"forbidden"') });
  const noJson = await gateway.post('{"orderId":"x","store');
  expect(noJson).toMatchObject({ status: 400, body: expect.stringContaining('malformed') });
});

test.each(transports)('%s: a token that is not accepted is 401', async (via) => {
  await using gateway = await connected(via, { token: 'none' });
  expect(await gateway.post(sampleOrder())).toMatchObject({ status: 401 });
});

test.each(['ws', 'grpc'] as const)('%s: more orders than one stream may have unanswered wait for room', async (via) => {
  await using gateway = await connected(via, { connections: 1 });
  const answers = await answerAll(
    gateway.intake,
    Array.from({ length: 500 }, () => gateway.post(sampleOrder())),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect(gateway.intake.taken).toHaveLength(500);
});

test.each(transports)(
  '%s: without an answer in time, or when the gateway is gone, the order is rejected',
  async (via) => {
    await using gateway = await connected(via, { timeoutMs: 300 });
    await expect(gateway.post(sampleOrder())).rejects.toThrow('no answer within 300 ms');
    // The next order is answered: what was given up holds nothing back.
    const [answer] = await answerAll(gateway.intake, [gateway.post(sampleOrder())]);
    expect(answer?.status).toBe(202);
    await gateway.server.role.close();
    await expect(gateway.post(sampleOrder())).rejects.toThrow();
  },
);
