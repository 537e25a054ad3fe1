import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { probe } from '../../region/probe.ts';
import { startProbedGateway } from './gateway.ts';

test('the DNS server may be given by its name', async () => {
  await using gateway = await startProbedGateway('west');
  await using zone = await startZone([127, 0, 0, 1]);
  const dns = { server: `localhost:${zone.port}`, zone: 'mesh.test', key: { name: 'k', secretFile: 'none' } };
  const regions = {
    byName: new Map(),
    publicUrl: new URL(`http://orders.mesh.test:${gateway.port}`),
    ttlSeconds: 5,
    dns,
  };
  const options = {
    regions,
    address: '127.0.0.1',
    region: 'west',
    order: {},
    token: undefined,
    partitions: 2,
    msMax: 5_000,
  };
  expect(await probe(options)).toEqual({ orders: 2, outcomes: { rejected: 2 } });
});

/** Answers every question for an A record with that address. */
async function startZone(address: readonly number[]): Promise<AsyncDisposable & { port: number }> {
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    const asked = question.subarray(12, question.indexOf(0, 12) + 5);
    const header = Buffer.from(question.subarray(0, 12));
    header.writeUInt16BE(0x8400, 2);
    header.writeUInt16BE(1, 6);
    header.writeUInt16BE(0, 10);
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...address]);
    socket.send(Buffer.concat([header, asked, answer]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: (socket.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
