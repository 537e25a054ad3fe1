import { explainRefusal } from './connection/refusal.ts';
import type { Statement, Transaction, TurnSql } from './database.ts';
import { Session, type SessionOptions } from './session.ts';
import { isServerRefusal } from './sql-states.ts';

/**
 * Opens sessions when transactions need them, and keeps the good ones. It has no limit: its caller, a slot, bounds how many transactions
 * run at a time.
 */
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
      explainRefusal(error, this.#options.server);
      // A session may keep the reason for a refusal: the plan of a table that has changed, or a default that was corrected since. So the
      // session is closed.
      if (isServerRefusal(error)) await session.close();
      throw error;
    } finally {
      // The session used last is taken first: under light load one session stays in use, with its statements prepared.
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
    const session = await Session.open(this.#options).catch((error: unknown) => {
      explainRefusal(error, this.#options.server);
      throw error;
    });
    this.#sessions.add(session);
    return session;
  }
}
