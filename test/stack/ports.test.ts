import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { assertPortFree, choosePorts, isPortFree } from '../../stack/ports.ts';

async function squatter() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: async () => void server.close() };
}

test('kept ports are chosen again while they are free, and each once', async () => {
  const first = await choosePorts(['a', 'b'], {});
  expect(first.a).not.toBe(first.b);
  expect(await choosePorts(['a', 'b'], first)).toEqual(first);
  const shared = await choosePorts(['a', 'b'], { a: first.a ?? 0, b: first.a ?? 0 });
  expect(shared.a).toBe(first.a);
  expect(shared.b).not.toBe(first.a);
});

test('a kept port that is taken is chosen again', async () => {
  await using taken = await squatter();
  const { a } = await choosePorts(['a'], { a: taken.port });
  expect(a).not.toBe(taken.port);
  expect(await isPortFree(a ?? 0)).toBe(true);
});

test('a taken port is named with its user and the variable that moves it', async () => {
  await using taken = await squatter();
  const { port } = taken;
  const wanted = { port, host: '127.0.0.1', what: 'the gateway', variable: 'ORDERMESH_GATEWAY_PORT' };
  await expect(assertPortFree(wanted)).rejects.toThrow(
    `port ${port} on 127.0.0.1, for the gateway, is in use; stop what holds it or set ORDERMESH_GATEWAY_PORT to a free port`,
  );
  await expect(assertPortFree({ ...wanted, port: 0 })).resolves.toBeUndefined();
});
