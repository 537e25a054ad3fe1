import { connect } from 'node:http2';
import { loadPackageDefinition, type ServiceClientConstructor, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { expect, test, vi } from 'vitest';
import { limits } from '../../../contracts/limits.ts';
import { HeldIntake, sampleOrder, startServerOn, type TestServer } from '../support.ts';
import { type AnyClient, clientOf, GrpcClient, type Message, orderMessage, StreamClient, unpacked } from './client.ts';

const grpcClient = async (server: TestServer) =>
  new GrpcClient(server.role.addresses.grpc ?? '', await server.bearer());

const until = (condition: () => void) => vi.waitFor(condition, { timeout: 10_000 });

test('a stream is read up to its bound and no further, until orders are answered', async () => {
  const intake = new HeldIntake();
  await using server = await startServerOn(intake);
  using client = await grpcClient(server);
  const stream = new StreamClient(client.stream());
  const count = limits.streamUnansweredMax * 4;
  for (let id = 1; id <= count; id++) stream.stream.write({ id, order: orderMessage(sampleOrder()) });
  stream.stream.end();
  for (let taken = limits.streamUnansweredMax; taken < count; taken += limits.streamUnansweredMax) {
    await until(() => expect(intake.taken.length).toBeGreaterThanOrEqual(taken));
    // When a call that was sent later is answered, the stream has read all that it will read.
    const marker = orderMessage(sampleOrder());
    const other = client.submit(marker);
    await until(() => expect(intake.taken.at(-1)?.orderId).toBe(marker.orderId));
    expect(intake.unanswered).toBeLessThanOrEqual(limits.streamUnansweredMax + 1);
    intake.settle();
    await other;
  }
  await until(() => {
    intake.settle();
    expect(stream.answers.size).toBe(count);
  });
  expect((await stream.ended).code).toBe(status.OK);
});

test('a call past its deadline ends, and a repeat of its order is the same order', async () => {
  const intake = new HeldIntake();
  await using server = await startServerOn(intake);
  using client = await grpcClient(server);
  const order = orderMessage(sampleOrder());
  const late = client.submit(order, {}, { deadline: Date.now() + 200 });
  expect((await late).code).toBe(status.DEADLINE_EXCEEDED);
  const again = client.submit(order);
  await until(() => expect(intake.taken).toHaveLength(1));
  intake.settle();
  expect(await again).toMatchObject({ code: status.OK, answer: { orderId: order.orderId } });
  expect(intake.taken).toHaveLength(1);
});

test('a call and a stream that are cancelled leave nothing behind', async () => {
  const intake = new HeldIntake();
  await using server = await startServerOn(intake);
  using client = await grpcClient(server);
  const { call, outcome } = client.call('Submit', { order: orderMessage(sampleOrder()) });
  const stream = new StreamClient(client.stream());
  stream.stream.write({ id: 1, order: orderMessage(sampleOrder()) });
  await until(() => expect(intake.taken).toHaveLength(2));
  call.cancel();
  stream.stream.cancel();
  expect((await outcome).code).toBe(status.CANCELLED);
  expect((await stream.ended).code).toBe(status.CANCELLED);
  intake.settle();
  const metrics = async () => (await fetch(`${server.admin}/metrics`)).text();
  await vi.waitFor(async () => expect(await metrics()).toMatch(/ordermesh_gateway_grpc_streams\{[^}]*\} 0\n/));
  expect(await metrics()).toMatch(/ordermesh_gateway_unanswered_orders\{[^}]*\} 0\n/);
  const next = client.submit(orderMessage(sampleOrder()));
  await until(() => expect(intake.taken).toHaveLength(3));
  intake.settle();
  expect((await next).code).toBe(status.OK);
});

test('above the admission’s bound the answer is unavailable, with a delay', async () => {
  const intake = new HeldIntake();
  await using server = await startServerOn(intake, { ORDERMESH_UNANSWERED_ORDERS_MAX: '1' });
  using client = await grpcClient(server);
  const first = client.submit(orderMessage(sampleOrder()));
  await until(() => expect(intake.taken).toHaveLength(1));
  const { code, details } = await client.submit(orderMessage(sampleOrder()));
  expect(code).toBe(status.UNAVAILABLE);
  expect(details).toMatchObject({ ErrorInfo: { reason: 'OVERLOADED' }, RetryInfo: { retryDelay: {} } });
  intake.settle();
  expect((await first).code).toBe(status.OK);
});

test('an invalid or too large message is the client’s fault', async () => {
  await using server = await startServerOn(new HeldIntake());
  const authorization = await server.bearer();
  const url = (server.role.addresses.grpc ?? '').replace('grpc:', 'http:');
  const send = async (message: Buffer) => {
    const session = connect(url);
    try {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/ordermesh.v1.Orders/Submit',
        'content-type': 'application/grpc',
        te: 'trailers',
        authorization,
      });
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      return await new Promise<string>((resolve) => {
        stream.on('response', (headers) => headers['grpc-status'] && resolve(String(headers['grpc-status'])));
        stream.on('trailers', (trailers) => resolve(String(trailers['grpc-status'])));
        stream.on('error', () => {});
        stream.resume();
        stream.end(Buffer.concat([head, message]));
      });
    } finally {
      session.destroy();
    }
  };
  expect(await send(Buffer.from([0xff, 0xff, 0xff]))).toBe(String(status.INVALID_ARGUMENT));
  expect(await send(Buffer.alloc(limits.orderBytesMax * 2))).toBe(String(status.RESOURCE_EXHAUSTED));
});

test('on shutdown orders in flight are answered; the stream and the health watch end as unavailable', async () => {
  const intake = new HeldIntake();
  await using server = await startServerOn(intake);
  using client = await grpcClient(server);
  const health = healthOf(server);
  const seen: string[] = [];
  const watch = health.watch?.({ service: 'ordermesh.v1.Orders' });
  watch.on('data', (answer: Message) => seen.push(answer.status));
  watch.on('error', () => {});
  await until(() => expect(seen).toEqual(['SERVING']));
  const order = orderMessage(sampleOrder());
  const stream = new StreamClient(client.stream());
  stream.stream.write({ id: 1, order });
  const unary = client.submit(orderMessage(sampleOrder()));
  await until(() => expect(intake.taken).toHaveLength(2));
  const closed = server.role.close();
  await until(() => expect(seen).toEqual(['SERVING', 'NOT_SERVING']));
  intake.settle();
  expect((await unary).code).toBe(status.OK);
  expect(await stream.ended).toMatchObject({
    code: status.UNAVAILABLE,
    details: { ErrorInfo: { reason: 'DRAINING' }, RetryInfo: { retryDelay: {} } },
  });
  expect(stream.answers.get(1)?.accepted?.orderId).toBe(order.orderId);
  await closed;
  health.close();
});

test('reflection shows the service and its fields by the names of the proto', async () => {
  await using server = await startServerOn(new HeldIntake());
  const folder = new URL('../../../node_modules/@grpc/reflection/build/proto/', import.meta.url).pathname;
  const loaded = loadSync('grpc/reflection/v1/reflection.proto', { includeDirs: [folder], oneofs: true });
  const { grpc } = loadPackageDefinition(loaded) as unknown as {
    grpc: { reflection: { v1: { ServerReflection: ServiceClientConstructor } } };
  };
  const client = clientOf(grpc.reflection.v1.ServerReflection, server.role.addresses.grpc ?? '');
  const call = client.ServerReflectionInfo?.();
  const answers: Message[] = [];
  call.on('data', (answer: Message) => answers.push(answer));
  call.on('error', () => {});
  call.write({ listServices: '*' });
  call.write({ fileContainingSymbol: 'ordermesh.v1.Order' });
  await until(() => expect(answers).toHaveLength(2));
  const services = answers[0].listServicesResponse.service.map(({ name }: { name: string }) => name);
  expect(services).toEqual(expect.arrayContaining(['ordermesh.v1.Orders', 'grpc.health.v1.Health']));
  const files = Buffer.concat(answers[1].fileDescriptorResponse.fileDescriptorProto);
  expect(files.toString('latin1')).toContain('unit_price');
  // Absolute names, which clients on Google's library require.
  expect(files.toString('latin1')).toContain('.google.rpc.Status');
  call.end();
  client.close();
});

test('the refusal of an order on a stream says when to send it again', async () => {
  const intake = new HeldIntake();
  await using server = await startServerOn(intake);
  using client = await grpcClient(server);
  const stream = new StreamClient(client.stream());
  stream.stream.write({ id: 7, order: orderMessage(sampleOrder()) });
  await until(() => expect(intake.taken).toHaveLength(1));
  intake.settle(new Error('the log is down'));
  await until(() => expect(stream.answers.size).toBe(1));
  const error = stream.answers.get(7)?.error;
  expect(error).toMatchObject({ code: status.UNAVAILABLE });
  expect(unpacked(error)).toMatchObject({ ErrorInfo: { reason: 'LOG_UNAVAILABLE' }, RetryInfo: { retryDelay: {} } });
  stream.stream.end();
  expect((await stream.ended).code).toBe(status.OK);
});

function healthOf(server: TestServer): AnyClient {
  const loaded = loadPackageDefinition(loadSync(protoPath, { enums: String })) as unknown as {
    grpc: { health: { v1: { Health: ServiceClientConstructor } } };
  };
  return clientOf(loaded.grpc.health.v1.Health, server.role.addresses.grpc ?? '');
}
