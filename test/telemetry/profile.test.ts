import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { functionsOf } from '#cli/profile/functions.ts';
import { profileThreads } from '../../telemetry/profile.ts';

let worker: Worker | undefined;
afterEach(async () => {
  await worker?.terminate();
});

/** Where the code of the thread below stands. */
const SPINNING = /^\[worker eval\]/;

/** A thread that computes nearly all of the time, and answers messages in between. */
async function startSpinning(): Promise<Worker> {
  const code = `
    function* spin() { let x = 0; for (let i = 0; i < 2e6; i++) x += Math.sqrt(i); yield x; }
    setInterval(() => spin().next(), 1);
    require('node:worker_threads').parentPort.on('message', () => process.exit());
  `;
  const started = new Worker(code, { eval: true });
  await new Promise((resolve) => started.once('online', resolve));
  return started;
}

test('tells the processor time and the functions of every thread', async () => {
  worker = await startSpinning();
  const threads = await profileThreads(0.3);
  expect(threads.map(({ thread }) => thread)).toEqual(['main', expect.stringMatching(/^worker \d+$/)]);
  const [main, spinning] = threads;
  if (main === undefined || spinning === undefined) return;
  expect(spinning.cpuMs.user).toBeGreaterThan(main.cpuMs.user);
  // V8 compiles a generator into its caller, but never into code of Node's.
  expect(functionsOf([spinning])[0]?.where).toMatch(SPINNING);
  expect(functionsOf([main]).filter(({ where }) => SPINNING.test(where))).toEqual([]);
});

test('a thread that ends meanwhile is left out', async () => {
  worker = await startSpinning();
  const ended = new Promise((resolve) => worker?.once('exit', resolve));
  const profiled = profileThreads(0.3);
  worker.postMessage('end');
  await ended;
  expect((await profiled).map(({ thread }) => thread)).toEqual(['main']);
});

test('functions share the time in which a thread was busy', () => {
  const callFrame = (functionName: string, url = '') => ({
    functionName,
    url,
    scriptId: '0',
    lineNumber: 41,
    columnNumber: 0,
  });
  const profile = {
    nodes: [
      { id: 1, callFrame: callFrame('(idle)') },
      { id: 2, callFrame: callFrame('scan', new URL('../../gateway/scan.ts', import.meta.url).href) },
      { id: 3, callFrame: callFrame('', 'node:net') },
    ],
    startTime: 0,
    endTime: 1_000,
    samples: [1, 2, 3, 2, 1],
    // Each is the time since the sample before it.
    timeDeltas: [10, 500, 300, 100, 0],
  };
  expect(functionsOf([{ profile }])).toEqual([
    { share: 0.75, name: 'scan', where: 'gateway/scan.ts:42' },
    { share: 0.25, name: '(anonymous)', where: 'node:net:42' },
  ]);
});
