// A pool of connections with a time limit for each call. Used by gateway, display, payment, loyalty and runtime.

import { withDeadline } from '../../contracts/deadline.ts';
import { systemTimers } from '../../contracts/timers.ts';
import { explainRefusal } from './connection/refusal.ts';
import { connectDatabase, type Database, type DatabaseOptions } from './database.ts';
import { isServerRefusal } from './sql-states.ts';

/** The database has not answered a call in time. Whether the call was carried out is unknown. */
export class DatabaseSilentError extends Error {
  override name = 'DatabaseSilentError';
  /** In the form of the system's error codes. */
  readonly code = 'ETIMEDOUT';
}

export interface BoundedPoolOptions extends DatabaseOptions {
  /** Longest wait for the answer to a call. */
  answerMsMax: number;
}

/** The server cancels the statement later than the caller gives up, because the caller's own error says more. */
const SERVER_GRACE_MS = 1_000;

/** Other calls on the old connections may still finish. The driver counts in seconds here. */
const END_SECONDS_MAX = 5;

/** For the end of a pool whose failure changes nothing, because the pool is not used any more. */
const noop = () => {};

/**
 * A pool whose calls always end. The driver may wait for ever on a connection that broke at a bad moment, and the call would keep its
 * connection. So when a call is not answered in time, the whole pool is closed, and the next call gets a new pool.
 */
export class BoundedPool {
  readonly #options: BoundedPoolOptions;
  #database: Database;

  constructor(options: BoundedPoolOptions) {
    this.#options = { statementMsMax: options.answerMsMax + SERVER_GRACE_MS, ...options };
    this.#database = connectDatabase(this.#options);
  }

  /** @throws DatabaseSilentError, or what `work` throws; if another call was not answered, this call loses its connection too */
  async call<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const database = this.#database;
    const { answerMsMax, application } = this.#options;
    try {
      return await withDeadline(systemTimers, answerMsMax, work(database), () => {
        this.#renew(database, 0);
        return new DatabaseSilentError(`the database has not answered ${application} for ${answerMsMax} ms`);
      });
    } catch (error) {
      explainRefusal(error, this.#options.server);
      // A session may keep the reason for which the server refused a statement: a default that was corrected since, or the plan of a table
      // that has changed. So the pool is replaced.
      if (isServerRefusal(error)) this.#renew(database, END_SECONDS_MAX);
      throw error;
    }
  }

  /** The next call gets new connections. */
  #renew(database: Database, timeoutSeconds: number): void {
    if (this.#database !== database) return;
    this.#database = connectDatabase(this.#options);
    // Its calls have been given up, and every caller has its error.
    database.end({ timeout: timeoutSeconds }).catch(noop);
  }

  /** Waits for calls in flight, at most one second. */
  async close(): Promise<void> {
    await this.#database.end({ timeout: 1 });
  }
}
