// Takes a processor profile of all threads. Called by the admin server and by each process of the gateway.

import { type Profiler, Session } from 'node:inspector';
import { setTimeout as delay } from 'node:timers/promises';

/** What one thread did for a while. */
export interface ThreadProfile {
  thread: string;
  /** Processor time of the thread, in milliseconds. */
  cpuMs: { user: number; system: number };
  /** As Chrome's DevTools, VS Code and speedscope read it (`.cpuprofile`). */
  profile: Profiler.Profile;
}

const SAMPLING_INTERVAL_US = 500;

/**
 * Samples all threads of this process for `seconds` and tells what each one spent its time on.
 * Threads that begin or end within that time are left out.
 */
export async function profileThreads(seconds: number): Promise<ThreadProfile[]> {
  const session = new Session();
  session.connect();
  try {
    const threads = [ownThread(session), ...(await workerThreads(session))];
    await Promise.all(threads.map((thread) => thread.begin()));
    await delay(seconds * 1_000);
    const profiles = await Promise.all(threads.map((thread) => thread.end()));
    return profiles.filter((profile) => profile !== undefined);
  } finally {
    session.disconnect();
  }
}

/** Sends a command of the inspector's protocol to one thread. */
type Ask = (method: string, params?: object) => Promise<unknown>;

class Thread {
  readonly #name: string;
  readonly #ask: Ask;
  #startedWith = { user: 0, system: 0 };

  constructor(name: string, ask: Ask) {
    this.#name = name;
    this.#ask = ask;
  }

  async begin(): Promise<void> {
    await this.#ask('Profiler.enable');
    await this.#ask('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US });
    await this.#ask('Profiler.start');
    this.#startedWith = (await this.#cpuUsage()) ?? this.#startedWith;
  }

  async end(): Promise<ThreadProfile | undefined> {
    const cpu = await this.#cpuUsage();
    const stopped = (await this.#ask('Profiler.stop')) as { profile: Profiler.Profile } | undefined;
    if (cpu === undefined || stopped === undefined) return undefined;
    const { user, system } = this.#startedWith;
    const cpuMs = { user: (cpu.user - user) / 1_000, system: (cpu.system - system) / 1_000 };
    return { thread: this.#name, cpuMs, profile: stopped.profile };
  }

  /** In microseconds; `undefined` where the thread is gone. */
  async #cpuUsage(): Promise<{ user: number; system: number } | undefined> {
    const answer = await this.#ask('Runtime.evaluate', {
      expression: 'process.threadCpuUsage()',
      returnByValue: true,
    });
    return (answer as { result: { value: { user: number; system: number } } } | undefined)?.result.value;
  }
}

function ownThread(session: Session): Thread {
  return new Thread('main', (method, params) => {
    return new Promise((resolve, reject) => {
      session.post(method, params, (error, result) => {
        if (error === null) resolve(result);
        else reject(error);
      });
    });
  });
}

/** The threads that run now, each asked through the inspector of the main one. */
async function workerThreads(session: Session): Promise<Thread[]> {
  const threads: Thread[] = [];
  /** Commands without their answers, of each thread. */
  const asked = new Map<string, ((result: unknown) => void)[]>();
  session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
    const waiting: ((result: unknown) => void)[] = [];
    asked.set(sessionId, waiting);
    const ask: Ask = (method, params) =>
      new Promise((resolve) => {
        if (!asked.has(sessionId)) return resolve(undefined);
        const id = waiting.push(resolve);
        session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method, params }) });
      });
    threads.push(new Thread(`worker ${workerInfo.workerId}`, ask));
  });
  session.on('NodeWorker.receivedMessageFromWorker', ({ params: { sessionId, message } }) => {
    const { id, result } = JSON.parse(message) as { id?: number; result?: unknown };
    // A message without an id is an event.
    if (id !== undefined) asked.get(sessionId)?.[id - 1]?.(result);
  });
  session.on('NodeWorker.detachedFromWorker', ({ params: { sessionId } }) => {
    for (const resolve of asked.get(sessionId) ?? []) resolve(undefined);
    asked.delete(sessionId);
  });
  // Attaches to the threads that exist now before it answers.
  await new Promise<void>((resolve, reject) => {
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, (error) =>
      error ? reject(error) : resolve(),
    );
  });
  return [...threads];
}
