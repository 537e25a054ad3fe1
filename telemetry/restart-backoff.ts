// The wait before a process that ended is started again. Used by the supervisors of servers, roles and gateway processes.

import { Backoff } from '../contracts/backoff.ts';

/** A process that lived longer than this is started again after the shortest wait. */
const STEADY_MS = 30_000;

/** For supervisors: the wait before a process that ended is started again. It grows while the process ends again and again. */
export class RestartBackoff {
  readonly #backoff = new Backoff({ firstMs: 250, mostMs: 5_000 });

  /** Whether no process has been started again yet. */
  get isFirst(): boolean {
    return this.#backoff.attempts === 0;
  }

  /** @param livedMs how long the process lived; 0 when it could not be started */
  next(livedMs: number): number {
    if (livedMs > STEADY_MS) this.#backoff.reset();
    return this.#backoff.next();
  }
}
