import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { clocked } from '../../telemetry/stages/clocked-socket.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { StageClock } from '../../telemetry/stages/stage-clock.ts';

test('what a socket brings is charged to its stage, with the promises that follow, and so is writing', async () => {
  await using server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  let computedMs = 0;
  const stages = new StageClock({ now: () => computedMs });
  const socket = clocked(connect((server.address() as AddressInfo).port, '127.0.0.1'), stage.store, stages);
  const received = Promise.withResolvers<string>();
  socket.on('data', (bytes) => {
    computedMs += 3;
    // A reader that goes on after a promise, as a driver's caller does.
    Promise.resolve().then(() => {
      computedMs += 4;
      received.resolve(bytes.toString());
    });
  });
  await once(socket, 'connect');
  computedMs += 100;
  socket.write('hello');
  expect(await received.promise).toBe('hello');
  // The callback has ended by then.
  await new Promise((resolve) => setImmediate(resolve));
  computedMs += 100;
  socket.destroy();
  await once(socket, 'close');
  expect(stages.totals()).toMatchObject([{ stage: 'store', busySeconds: 0.007 }]);
});

test('a write computes for the stage of its socket, and the stage around goes on', () => {
  let computedMs = 0;
  const stages = new StageClock({ now: () => computedMs });
  const unconnected = connect({ port: 1, host: '127.0.0.1', lookup: () => {} });
  unconnected.on('error', () => {}).write = () => {
    computedMs += 5;
    return true;
  };
  const socket = clocked(unconnected, stage.store, stages);
  const before = stages.enter(stage.decide);
  computedMs += 1;
  socket.write('hello');
  computedMs += 1;
  stages.leave(before);
  socket.destroy();
  const busy = Object.fromEntries(stages.totals().map((total) => [total.stage, total.busySeconds * 1_000]));
  expect(busy).toEqual({ decide: 2, store: 5 });
});
