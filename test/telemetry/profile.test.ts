import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { foldThreads } from '../../telemetry/flame/fold.ts';
import { functionsOf } from '../../telemetry/flame/functions.ts';
import { nameThread } from '../../telemetry/profiling/live-workers.ts';
import { profileThreads } from '../../telemetry/profiling/profile.ts';

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
  expect(threads.map(({ thread }) => thread)).toEqual(['main', `worker ${worker.threadId}`]);
  const [main, spinning] = threads;
  if (main === undefined || spinning === undefined) return;
  expect(spinning.cpuMs.user).toBeGreaterThan(main.cpuMs.user);
  // V8 compiles a generator into its caller, but never into code of Node's.
  expect(functionsOf(foldThreads([spinning]))[0]?.where).toMatch(SPINNING);
  expect(functionsOf(foldThreads([main])).filter(({ where }) => SPINNING.test(where))).toEqual([]);
});

test('a thread that ends meanwhile is left out', async () => {
  worker = await startSpinning();
  const ended = new Promise((resolve) => worker?.once('exit', resolve));
  const profiled = profileThreads(0.3);
  worker.postMessage('end');
  await ended;
  expect((await profiled).map(({ thread }) => thread)).toEqual(['main']);
});

test('a name that JSON must escape is what it is: a regular expression is a function', async () => {
  const code = `
    const s = '"' + '1x'.repeat(500) + '!';
    let n = 0;
    setInterval(() => {
      // Only what is compiled while the profile is taken has a name.
      const r = new RegExp('^"(\\\\d+x)*\\\\n$|' + n++);
      for (const t = Date.now(); Date.now() - t < 5; ) r.test(s);
    }, 6);
  `;
  const started = new Worker(code, { eval: true });
  worker = started;
  await new Promise((resolve) => started.once('online', resolve));
  const threads = await profileThreads(0.3);
  const names = functionsOf(foldThreads(threads)).map(({ name }) => name);
  expect(names.find((name) => name.startsWith('RegExp'))).toMatch(/^RegExp: \^"\(\\d\+x\)\*\\n\$\|\d+$/);
});

test('a thread has the name that it was given', async () => {
  worker = await startSpinning();
  nameThread(worker, 'slot 3');
  expect((await profileThreads(0.05)).map(({ thread }) => thread)).toEqual(['main', 'slot 3']);
});

test('tells who allocated what every thread holds', async () => {
  const code = `
    const held = [];
    setInterval(function hoard() { if (held.length < 64) held.push(new Array(200_000).fill(held.length)); }, 1);
  `;
  const started = new Worker(code, { eval: true });
  worker = started;
  await new Promise((resolve) => started.once('online', resolve));
  const held: number[][] = [];
  const timer = setInterval(function gather() {
    if (held.length < 64) held.push(new Array(200_000).fill(held.length));
  }, 1);
  const threads = await profileThreads(0.5, 'heap');
  clearInterval(timer);
  const flame = foldThreads(threads);
  expect(flame.unit).toBe('bytes');
  const ofThread = (name: string) => functionsOf(foldThreads(threads.filter(({ thread }) => thread === name)));
  expect(ofThread('main').map(({ name }) => name)).toContain('gather');
  expect(ofThread(`worker ${started.threadId}`).map(({ name }) => name)).toContain('hoard');
});
