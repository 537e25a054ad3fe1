// The connection of a turn: pipelined, and fenced by its first statement. Created by session-pool.ts.

import postgres from 'postgres';
import { withDeadline } from '../../contracts/deadline.ts';
import { systemTimers } from '../../contracts/timers.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { threadStages } from '../../telemetry/stages/stage-clock.ts';
import { createClient } from './connection/client.ts';
import type { DatabaseServer } from './connection/database-server.ts';
import type { Statement, Transaction, TurnSql } from './database.ts';
import { StatementGate, TransactionOverError } from './statement-gate.ts';

export interface SessionOptions {
  server: DatabaseServer;
  /** Shown in `pg_stat_activity`. */
  application: string;
  /** Longest time to get a connection. */
  openMsMax: number;
  /** Longest time of a transaction. A server that takes longer counts as dead. */
  transactionMsMax: number;
}

/** The session has lost or given up its connection. It has the code of a connection error, so it counts as an outage. */
export class SessionLostError extends Error {
  override name: string = 'SessionLostError';
  readonly code = 'CONNECTION_CLOSED';
}

/**
 * Something between us and the server, for example a pooler, dropped a setting that the session's safety depends on. An operator has to
 * act.
 */
export class SessionSettingsError extends SessionLostError {
  override name = 'SessionSettingsError';
}

const IN_FAILED_TRANSACTION = '25P02';
/** A statement waits for a lock for a sixth of the transaction's time (5 s of 30), unless the database sets its own `lock_timeout`. */
const LOCK_SHARE = 6;
/** For promises whose failure changes nothing: of a connection that is given up, and of a promise that may have no reader. */
const noop = () => {};

/**
 * One connection whose transactions send `begin`, the fence and the first statements without waiting for answers in between. After anything
 * but a server's answer the session is lost and never used again.
 *
 * What makes this safe:
 * - Outside of its own `begin read write` the session is read-only. If `begin` fails, the statements after it write nothing.
 * - A fence that fails aborts the transaction at the server. The server then refuses every statement after it, including a commit.
 * - All statements pass a gate. It settles them when the connection is lost, and refuses statements that come too late.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #client: postgres.Sql;
  #sql: postgres.ReservedSql | undefined;
  /** The gate for the session's own statements. */
  #control: StatementGate | undefined;
  /** The gate for the statements of the work in flight. */
  #gate: StatementGate | undefined;
  #onLost: (error: unknown) => void = noop;
  #lost: SessionLostError | undefined;
  #ended: Promise<void> = Promise.resolve();

  /** @throws the server's or the network's error if there is no connection in time */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options);
    await session.#connect();
    return session;
  }

  private constructor(options: SessionOptions) {
    this.#options = options;
    this.#client = createClient(options.server, {
      max: 1,
      // This timeout is not for the session, which may be idle. It ends a connection that the driver opens after the session was given up.
      idle_timeout: 10,
      max_lifetime: null,
      connection: {
        application_name: options.application,
        default_transaction_read_only: true,
        // The server gives up a little later than the client, because a statement that waits for a lock does not notice that its client has
        // gone.
        statement_timeout: options.transactionMsMax + 1_000,
      },
      onnotice: noop,
      onclose: () => this.#lose(new SessionLostError('the connection to the database was closed')),
    });
  }

  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /**
   * One transaction. The statement of `fence` is sent first, the statements of `work` right behind it. Committed when both have succeeded,
   * otherwise rolled back.
   * @throws the first failure: of `begin`, of the fence, or of the work. `SessionLostError` when the connection was lost; then it is
   *   unknown whether a commit in flight took place.
   */
  async transaction<T>(fence: (sql: Transaction) => Statement, work: (sql: TurnSql) => Promise<T>): Promise<T> {
    if (this.#lost !== undefined || this.#sql === undefined || this.#control === undefined)
      throw this.#lost ?? new SessionLostError('the session is not open');
    const { promise: lost, reject } = Promise.withResolvers<never>();
    // It is raced below. After the race it has no reader.
    lost.catch(noop);
    this.#onLost = reject;
    const { transactionMsMax } = this.#options;
    const deadline = setTimeout(() => {
      this.#lose(new SessionLostError(`the database did not finish a transaction within ${transactionMsMax} ms`));
    }, transactionMsMax);
    try {
      return await Promise.race([lost, this.#run(this.#sql, this.#control.sql, fence, work)]);
    } finally {
      clearTimeout(deadline);
      this.#onLost = noop;
    }
  }

  /** Gives the connection up; a transaction in flight fails. */
  async close(): Promise<void> {
    this.#lose(new SessionLostError('the session was closed'));
    await this.#ended;
  }

  async #connect(): Promise<void> {
    const { openMsMax } = this.#options;
    const late = () => new SessionLostError(`no connection to the database within ${openMsMax} ms`);
    try {
      await withDeadline(systemTimers, openMsMax, this.#reserve(), late);
    } catch (error) {
      this.#lose(error);
      throw error;
    }
  }

  async #reserve(): Promise<void> {
    // When another session keeps a row locked, only the message of this row should wait: it is tried alone, and the other messages go on.
    const lockMsMax = String(Math.ceil(this.#options.transactionMsMax / LOCK_SHARE));
    // A statement first: a reservation that fails to connect stays in the driver's queue and would take the next connection.
    const [{ readOnly } = { readOnly: 'unknown' }] = await this.#client<{ readOnly: string }[]>`
      select current_setting('default_transaction_read_only') as "readOnly",
        case current_setting('lock_timeout') when '0' then set_config('lock_timeout', ${lockMsMax}, false) end`;
    if (readOnly !== 'on')
      throw new SessionSettingsError(
        `the database session does not keep what it was opened with: default_transaction_read_only is ${readOnly} instead of on. A pooler drops it: connect to PostgreSQL itself, or have the pooler pass it on (PgBouncer: track_extra_parameters)`,
      );
    // Closed, or too late.
    if (this.#lost !== undefined) throw this.#lost;
    const sql = await this.#client.reserve();
    if (this.#lost !== undefined) throw this.#lost;
    this.#control = new StatementGate(sql, (error) => this.#lose(error));
    this.#sql = sql;
  }

  async #run<T>(
    sql: postgres.ReservedSql,
    control: Transaction,
    fence: (sql: Transaction) => Statement,
    work: (sql: TurnSql) => Promise<T>,
  ): Promise<T> {
    const gate = new StatementGate(sql, (error) => this.#lose(error), stage.decide);
    this.#gate = gate;
    threadStages.at(stage.store);
    const [begun, held, worked] = await Promise.allSettled([
      control.unsafe('begin read write').execute(),
      fence(control).execute(),
      called(work, gate),
    ]);
    gate.close(
      new TransactionOverError(
        'the transaction of this statement is over: every statement has to be awaited inside of it, and nothing may keep it for later',
      ),
    );
    const succeeded = begun.status === 'fulfilled' && held.status === 'fulfilled' && worked.status === 'fulfilled';
    if (succeeded && gate.failure === undefined) {
      threadStages.at(stage.store);
      const { command } = await control.unsafe('commit');
      // A statement that was not awaited has failed in the meantime.
      if (command !== 'COMMIT') throw gate.failure ?? new Error(`the commit was answered with ${command}`);
      return worked.value;
    }
    await control.unsafe('rollback');
    if (begun.status === 'rejected') throw begun.reason;
    if (held.status === 'rejected') throw held.reason;
    // Errors after the first failure only say that the transaction was aborted.
    if (worked.status === 'rejected' && !saysAborted(worked.reason)) throw worked.reason;
    throw gate.failure ?? (worked as PromiseRejectedResult).reason;
  }

  /** Settles all that is in flight and releases the connection. The transaction in flight fails with `cause`. */
  #lose(cause: unknown): void {
    if (this.#lost !== undefined) return;
    this.#lost =
      cause instanceof SessionLostError ? cause : new SessionLostError('the session had to be given up', { cause });
    this.#onLost(cause);
    this.#control?.abandon(this.#lost);
    this.#gate?.abandon(this.#lost);
    // The session is lost already, and `#lost` says why.
    this.#ended = this.#client.end({ timeout: 0 }).catch(noop);
  }
}

/** Makes a rejection of an error that `work` throws before it returns a promise. Work that leaves statements without an answer fails. */
async function called<T>(work: (sql: TurnSql) => Promise<T>, gate: StatementGate): Promise<T> {
  const value = await work(gate.sql);
  gate.checkAwaited();
  return value;
}

function saysAborted(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === IN_FAILED_TRANSACTION;
}
