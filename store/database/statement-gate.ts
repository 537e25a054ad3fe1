// Guards the statements of one transaction. Created by session.ts.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import postgres from 'postgres';
import { type Stage, stage } from '../../telemetry/stages/stage.ts';
import { threadStages } from '../../telemetry/stages/stage-clock.ts';
import type { TurnMember, TurnSql } from './database.ts';

// The driver's internals are known for these versions only. For an update, check `Statement` below. The driver's package.json is not
// exported.
const driver = path.resolve(createRequire(import.meta.url).resolve('postgres'), '../../../package.json');
const { version } = JSON.parse(readFileSync(driver, 'utf8')) as { version: string };
if (!version.startsWith('3.4.')) throw new Error(`postgres is ${version}; its statements are known for 3.4 only`);

/** What the gate uses of the driver's statement (`postgres/src/query.js`, 3.4). The driver gives it to a connection by `handler`. */
interface Statement extends Promise<unknown> {
  handler(statement: Statement): void;
  reject(error: unknown): void;
  /** The literal parts of the statement's text. */
  strings: readonly string[];
  /** The driver sets it on a statement that became part of another one. */
  fragment?: boolean;
}

/** A statement came after its transaction had ended. It was not sent. */
export class TransactionOverError extends Error {
  override name = 'TransactionOverError';
}

/** The work ended with statements that were not awaited. They were not sent, or their result is unknown. */
export class ForgottenStatementError extends Error {
  override name = 'ForgottenStatementError';
}

/** What an actor may use of a transaction; the rest of the driver would leave the transaction. The type `TurnSql` has the same members. */
const turnMembers: Record<TurnMember, true> = { unsafe: true, array: true, json: true, typed: true, types: true };
const members = new Set<PropertyKey>(Object.keys(turnMembers));

/**
 * Stands between the statements of one transaction and their connection. It knows every statement without an answer, so that all of them
 * are settled when the connection is lost (the driver forgets statements that it had not sent). After the end of the transaction it refuses
 * every statement, so that none runs outside of it.
 */
export class StatementGate {
  readonly sql: TurnSql;
  /** The error of the first statement that failed, whether or not the actor has read it. */
  failure: unknown;
  readonly #unanswered = new Set<Statement>();
  /** Created but not sent: forgotten, or part of another statement. */
  readonly #unsent = new Set<Statement>();
  readonly #onBroken: (error: unknown) => void;
  readonly #reader: Stage;
  #closed: unknown;

  /**
   * @param onBroken called when a statement fails with anything but an answer of the server, because the driver's queue is out of order
   *   then
   * @param reader the stage of the code that goes on with the answers
   */
  constructor(sql: postgres.ReservedSql, onBroken: (error: unknown) => void, reader: Stage = stage.store) {
    this.#onBroken = onBroken;
    this.#reader = reader;
    const admit = <T>(value: T): T => {
      if (value instanceof Promise) this.#guard(value as unknown as Statement);
      return value;
    };
    this.sql = new Proxy(sql, {
      apply: (target, self, args) => admit(Reflect.apply(target as (...args: unknown[]) => unknown, self, args)),
      get: (target, member) => {
        if (!members.has(member))
          throw new TypeError(`${String(member)} is not for use inside a transaction of a turn`);
        if (member !== 'unsafe') return Reflect.get(target, member);
        return (...args: Parameters<TurnSql['unsafe']>) => admit(target.unsafe(...args));
      },
    }) as unknown as TurnSql;
  }

  /**
   * Called at the end of the work. The driver sends a statement only when it is awaited, so a forgotten `await` would silently lose an
   * effect.
   * @throws ForgottenStatementError
   */
  checkAwaited(): void {
    for (const statement of this.#unsent)
      if (statement.fragment !== true) throw new ForgottenStatementError(`not sent: ${described(statement)}`);
    for (const statement of this.#unanswered)
      throw new ForgottenStatementError(`not waited for: ${described(statement)}`);
  }

  /** Refuses every statement from now on. Statements in flight get their answers. */
  close(reason: unknown): void {
    this.#closed ??= reason;
  }

  /** Settles every statement without an answer, and refuses all others. */
  abandon(reason: unknown): void {
    this.close(reason);
    for (const statement of this.#unanswered) statement.reject(reason);
  }

  /** The driver calls `handler` once, when the statement is first awaited. It never does for a part of another statement. */
  #guard(statement: Statement): void {
    const send = statement.handler;
    if (typeof send !== 'function')
      throw new TypeError('this version of the postgres driver has statements of another kind');
    this.#unsent.add(statement);
    statement.handler = () => {
      this.#unsent.delete(statement);
      if (this.#closed !== undefined) return statement.reject(this.#closed);
      this.#unanswered.add(statement);
      Promise.prototype.then.call(
        statement,
        () => {
          this.#unanswered.delete(statement);
          threadStages.at(this.#reader);
        },
        (error) => {
          this.#unanswered.delete(statement);
          threadStages.at(this.#reader);
          this.failure ??= error;
          if (!(error instanceof postgres.PostgresError)) this.#onBroken(error);
        },
      );
      const before = threadStages.enter(stage.store);
      try {
        send(statement);
      } finally {
        threadStages.leave(before);
      }
    };
  }
}

const SHOWN_TEXT = 80;

function described({ strings }: Statement): string {
  const text = [strings].flat().join('…').replaceAll(/\s+/g, ' ').trim();
  return `"${text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)}…` : text}"; await every statement of a transaction before its end`;
}
