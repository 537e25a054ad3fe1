// The worker threads of this process and their names. Read by profile.ts; whoever starts a thread that deserves a name gives the name here.

import type { Worker } from 'node:worker_threads';

export interface LiveWorker {
  worker: Worker;
  name: string;
  /** Resolves when the thread ends. */
  ended: Promise<undefined>;
}

const live = new Map<Worker, Promise<undefined>>();
const names = new WeakMap<Worker, string>();

// The event also tells of threads that a package starts. A thread that was started before this module was loaded is not known.
process.on('worker', (worker: Worker) => {
  const ended = Promise.withResolvers<undefined>();
  live.set(worker, ended.promise);
  worker.once('exit', () => {
    live.delete(worker);
    ended.resolve(undefined);
  });
});

/** A thread that has the same name after it was replaced can be compared with the thread before it. */
export function nameThread(worker: Worker, name: string): void {
  names.set(worker, name);
}

/** The threads that run now, in the order in which they were started. */
export function liveWorkers(): LiveWorker[] {
  return [...live].map(([worker, ended]) => ({
    worker,
    name: names.get(worker) ?? `worker ${worker.threadId}`,
    ended,
  }));
}
