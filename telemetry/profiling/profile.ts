// Takes a profile of all threads. Called by the admin server and by each process of the gateway.

import type { HeapProfiler, Profiler } from 'node:inspector';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString, startCpuProfile } from 'node:v8';
import { parseCpuProfile } from './cpu-profile-json.ts';
import { liveWorkers } from './live-workers.ts';
import { startMainHeapProfile } from './main-heap.ts';

export type CpuProfile = Profiler.Profile;
export type HeapProfile = HeapProfiler.SamplingHeapProfile;

/** `cpu`: where the time goes. `heap`: who allocated what is in memory at the end, of what was allocated meanwhile. */
export const profileKinds = ['cpu', 'heap'] as const;
export type ProfileKind = (typeof profileKinds)[number];

/** What one thread did for a while. */
export interface ThreadProfile<P = CpuProfile | HeapProfile> {
  thread: string;
  /** Processor time of the thread, in milliseconds. */
  cpuMs: { user: number; system: number };
  /** As Chrome's DevTools and VS Code read it (`.cpuprofile`, `.heapprofile`). */
  profile: P;
}

/** V8 samples once a millisecond by default, which takes a busy thread about 5 % more processor time. */
const SAMPLING_INTERVAL_US = 5_000;
// The calls of Node take no interval. V8 reads the flag when a thread is profiled for the first time.
setFlagsFromString(`--cpu-profiler-sampling-interval=${SAMPLING_INTERVAL_US}`);

/**
 * Samples all threads of this process for `seconds`: a processor profile once in 5 ms, a heap profile once in 512 KiB that a thread
 * allocates. Threads that begin or end within that time are left out.
 */
export async function profileThreads(seconds: number, kind: ProfileKind = 'cpu'): Promise<ThreadProfile[]> {
  await using samplings = new AsyncDisposableStack();
  const threads = [mainThread(kind), ...workerThreads(kind)];
  const ends = await Promise.all(threads.map((thread) => begin(thread, kind, samplings)));
  await delay(seconds * 1_000);
  return (await Promise.all(ends.map((end) => end?.()))).filter((profile) => profile !== undefined);
}

/** In microseconds. */
interface CpuUsage {
  user: number;
  system: number;
}

interface Sampling {
  /** The profile as JSON. Also called to drop a sampling, where another thread could not be sampled. */
  stop(): string | undefined | Promise<string | undefined>;
}

interface Thread {
  name: string;
  start(): Sampling | Promise<Sampling>;
  cpuUsage(): CpuUsage | Promise<CpuUsage>;
  /** Resolves when the thread ends. */
  ended: Promise<undefined>;
}

function mainThread(kind: ProfileKind): Thread {
  return {
    name: 'main',
    start: kind === 'cpu' ? startCpuProfile : startMainHeapProfile,
    cpuUsage: () => process.threadCpuUsage(),
    ended: new Promise(() => {}),
  };
}

function workerThreads(kind: ProfileKind): Thread[] {
  return liveWorkers().map(({ worker, name, ended }) => ({
    name,
    start: () => (kind === 'cpu' ? worker.startCpuProfile() : worker.startHeapProfile()),
    cpuUsage: () => worker.cpuUsage(),
    ended,
  }));
}

/** Starts to sample a thread. @returns what ends the sampling; `undefined`, there and here, where the thread has ended */
async function begin(thread: Thread, kind: ProfileKind, samplings: AsyncDisposableStack) {
  return await whileItRuns(thread, async () => {
    const sampling = await thread.start();
    samplings.defer(async () => void (await whileItRuns(thread, async () => sampling.stop())));
    const before = await thread.cpuUsage();
    return () =>
      whileItRuns(thread, async (): Promise<ThreadProfile> => {
        const after = await thread.cpuUsage();
        const cpuMs = { user: (after.user - before.user) / 1_000, system: (after.system - before.system) / 1_000 };
        const text = (await sampling.stop()) ?? '';
        const profile = kind === 'cpu' ? parseCpuProfile(text) : (JSON.parse(text) as HeapProfile);
        return { thread: thread.name, cpuMs, profile };
      });
  });
}

async function whileItRuns<T>({ ended }: Thread, step: () => Promise<T>): Promise<T | undefined> {
  try {
    // Node may leave a question to a thread that ends meanwhile without an answer.
    return await Promise.race([step(), ended]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_NOT_RUNNING') return undefined;
    throw error;
  }
}
