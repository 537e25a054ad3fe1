import { withDeadline } from '../../contracts/deadline.ts';
import { systemTimers } from '../../contracts/timers.ts';
import { connectDatabase, type Database, type DatabaseOptions } from './database.ts';
import { isServerRefusal } from './sql-states.ts';

/** The database has not answered a call in time. Whether it was carried out is unknown. */
export class DatabaseSilentError extends Error {
  override name = 'DatabaseSilentError';
  /** As the system's error codes go. */
  readonly code = 'ETIMEDOUT';
}

export interface BoundedPoolOptions extends DatabaseOptions {
  /** Longest wait for the answer to a call, in milliseconds. */
  answerMsMax: number;
}

/** Later than the caller gives up: the caller's own error says more. */
const SERVER_GRACE_MS = 1_000;

/** Other calls of the old connections may still end. The driver counts in seconds here. */
const END_SECONDS_MAX = 5;

/** For an ending whose failure changes nothing: the pool is not used any more. */
const noop = () => {};

/**
 * A pool whose calls end. The driver may wait for ever on a connection that broke at a bad moment, and such a call would keep its connection for as
 * long; so a call that is not answered in time takes the whole pool with it, and the next one gets a new pool.
 */
export class BoundedPool {
  readonly #options: BoundedPoolOptions;
  #database: Database;

  constructor(options: BoundedPoolOptions) {
    this.#options = { statementMsMax: options.answerMsMax + SERVER_GRACE_MS, ...options };
    this.#database = connectDatabase(this.#options);
  }

  /** @throws DatabaseSilentError, or what `work` throws; when another call was not answered, that is the end of its connection. */
  async call<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const database = this.#database;
    const { answerMsMax, application } = this.#options;
    try {
      return await withDeadline(systemTimers, answerMsMax, work(database), () => {
        this.#renew(database, 0);
        return new DatabaseSilentError(`the database has not answered ${application} for ${answerMsMax} ms`);
      });
    } catch (error) {
      // A session may keep what the server refused it for: a default that was mended since, a plan of a table that has changed.
      if (isServerRefusal(error)) this.#renew(database, END_SECONDS_MAX);
      throw error;
    }
  }

  /** The next call gets new connections. */
  #renew(database: Database, timeoutSeconds: number): void {
    if (this.#database !== database) return;
    this.#database = connectDatabase(this.#options);
    // Its calls have been given up, and each caller knows.
    database.end({ timeout: timeoutSeconds }).catch(noop);
  }

  /** Waits for calls in flight, for a second at most. */
  async close(): Promise<void> {
    await this.#database.end({ timeout: 1 });
  }
}
