import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import postgres from 'postgres';
import type { TurnMember, TurnSql } from './database.ts';

// The driver's internals are known for these versions only; an update has to look at `Statement` again. Its package.json is not exported.
const driver = path.resolve(createRequire(import.meta.url).resolve('postgres'), '../../../package.json');
const { version } = JSON.parse(readFileSync(driver, 'utf8')) as { version: string };
if (!version.startsWith('3.4.')) throw new Error(`postgres is ${version}; its statements are known for 3.4 only`);

/** What the gate uses of the driver's statement (`postgres/src/query.js`, 3.4): it is handed to its connection by `handler`. */
interface Statement extends Promise<unknown> {
  handler(statement: Statement): void;
  reject(error: unknown): void;
  /** The literal parts of its text. */
  strings: readonly string[];
  /** Set by the driver on what became a part of another statement. */
  fragment?: boolean;
}

/** A statement came after its transaction had ended: it was not sent. */
export class TransactionOverError extends Error {
  override name = 'TransactionOverError';
}

/** Work ended with statements that were not awaited: they were not sent, or their outcome is unknown. */
export class ForgottenStatementError extends Error {
  override name = 'ForgottenStatementError';
}

/** What an actor may use of a transaction; the rest of the driver would leave the transaction. The type `TurnSql` has the same members. */
const turnMembers: Record<TurnMember, true> = { unsafe: true, array: true, json: true, typed: true, types: true };
const members = new Set<PropertyKey>(Object.keys(turnMembers));

/**
 * The door between one transaction's statements and their connection. It knows every statement that has no answer yet, so that all of them can be
 * settled when the connection is lost (the driver forgets those that it had not sent); and after the transaction's end it lets nothing
 * pass, so that no late statement runs outside of it.
 */
export class StatementGate {
  readonly sql: TurnSql;
  /** The first statement that failed, whether or not anybody looked at its error. */
  failure: unknown;
  readonly #unanswered = new Set<Statement>();
  /** Made and not sent: forgotten, or parts of other statements. */
  readonly #unsent = new Set<Statement>();
  readonly #onBroken: (error: unknown) => void;
  #closed: unknown;

  /** @param onBroken called when a statement fails with anything but an answer of the server: the driver's queue is out of step then. */
  constructor(sql: postgres.ReservedSql, onBroken: (error: unknown) => void) {
    this.#onBroken = onBroken;
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
   * For the end of the work: the driver sends a statement only when it is awaited, so a forgotten `await` would silently lose an effect.
   * @throws ForgottenStatementError
   */
  checkAwaited(): void {
    for (const statement of this.#unsent)
      if (statement.fragment !== true) throw new ForgottenStatementError(`not sent: ${described(statement)}`);
    for (const statement of this.#unanswered)
      throw new ForgottenStatementError(`not waited for: ${described(statement)}`);
  }

  /** Nothing passes from now on. Statements in flight get their answers. */
  close(reason: unknown): void {
    this.#closed ??= reason;
  }

  /** Settles every statement that has no answer, and lets nothing pass. */
  abandon(reason: unknown): void {
    this.close(reason);
    for (const statement of this.#unanswered) statement.reject(reason);
  }

  /** The driver calls `handler` once, when the statement is first awaited; a fragment of another statement never gets there. */
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
        () => this.#unanswered.delete(statement),
        (error) => {
          this.#unanswered.delete(statement);
          this.failure ??= error;
          if (!(error instanceof postgres.PostgresError)) this.#onBroken(error);
        },
      );
      send(statement);
    };
  }
}

const SHOWN_TEXT = 80;

function described({ strings }: Statement): string {
  const text = [strings].flat().join('…').replaceAll(/\s+/g, ' ').trim();
  return `"${text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)}…` : text}"; await every statement of a transaction before its end`;
}
