import type { Statement, Transaction, TurnSql } from './database.ts';
import { Session, type SessionOptions } from './session.ts';
import { isServerRefusal } from './sql-states.ts';

/** Opens sessions as transactions need them, and keeps those that are good. Whoever uses it bounds how many run side by side. */
export class SessionPool {
  readonly #options: SessionOptions;
  readonly #sessions = new Set<Session>();
  readonly #idle: Session[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** `Session.transaction` on a session of the pool. */
  async transaction<T>(fence: (sql: Transaction) => Statement, work: (sql: TurnSql) => Promise<T>): Promise<T> {
    const session = await this.#take();
    try {
      return await session.transaction(fence, work);
    } catch (error) {
      // A session may keep what it was refused for: a plan of a table that has changed, a default that was mended since.
      if (isServerRefusal(error)) await session.close();
      throw error;
    } finally {
      // The one used last is taken first: under light load one session stays warm, with its statements prepared.
      if (session.lost) this.#sessions.delete(session);
      else this.#idle.push(session);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
  }

  async #take(): Promise<Session> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (!idle.lost) return idle;
      this.#sessions.delete(idle);
    }
    const session = await Session.open(this.#options);
    this.#sessions.add(session);
    return session;
  }
}
