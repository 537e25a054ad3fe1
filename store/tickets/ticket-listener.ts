// Tells the display which tickets have changed, by LISTEN and NOTIFY.

import { randomBytes } from 'node:crypto';
import { Backoff } from '../../contracts/backoff.ts';
import type { Clock } from '../../contracts/clock.ts';
import { withDeadline } from '../../contracts/deadline.ts';
import { systemTimers } from '../../contracts/timers.ts';
import { type ClientOptions, createClient } from '../database/connection/client.ts';
import { explainRefusal } from '../database/connection/refusal.ts';
import type { Database, DatabaseOptions } from '../database/database.ts';
import { ticketsChannel } from './tickets.ts';

export interface TicketListenerOptions {
  /** The listener has a connection of its own. */
  server: Pick<DatabaseOptions, 'server' | 'application'>;
  clock: Clock;
  /** Called after each commit with the orders whose tickets have changed. */
  onOrderIds(orderIds: string[]): void;
  /** Listening works from now on. Changes before were not announced, so the caller must read the tickets again. */
  onProven(): void;
  /** Listening has stopped working or could not begin. Called after each attempt that failed. */
  onDeaf(reason: Error): void;
  /** Time between proofs; 3,000 by default. */
  proofMs?: number;
  /** A proof or an attempt to listen that takes longer has failed; 5,000 by default. */
  answerMsMax?: number;
}

const PROOF_MS = 3_000;
const ANSWER_MS_MAX = 5_000;
const BACKOFF = { firstMs: 250, mostMs: 3_000, jitter: 0.5 };

/**
 * Listens for changed tickets, and proves that listening works: every few seconds the connection notifies itself on a channel of its own
 * and waits for the notification. So three silent failures show within seconds: a server that takes no LISTEN (a standby), a TCP connection
 * that died without being closed, and a pooler that sends LISTEN and later statements to different server connections. After a failure a
 * new connection replaces the old one, with back-off, until listening works.
 */
export class TicketListener {
  readonly #options: TicketListenerOptions;
  readonly #proofChannel = `tickets_proof_${randomBytes(8).toString('hex')}`;
  #connection: Database | undefined;
  #isProven = false;
  #provenAt: number | undefined;
  readonly #backoff = new Backoff(BACKOFF);
  #onProof: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: TicketListenerOptions) {
    this.#options = options;
  }

  /** Resolves after the first attempt to listen, successful or not. */
  async start(): Promise<void> {
    await this.#listen();
  }

  get isProven(): boolean {
    return this.#isProven;
  }

  /** When listening was last proven, in milliseconds since 1970; `undefined` before the first time. */
  get provenAt(): number | undefined {
    return this.#provenAt;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#drop();
  }

  async #listen(): Promise<void> {
    const connection = this.#connect();
    this.#connection = connection;
    try {
      await this.#inTime(connection.unsafe(`listen "${ticketsChannel}"; listen "${this.#proofChannel}"`).simple());
      await this.#prove(connection);
    } catch (error) {
      explainRefusal(error, this.#options.server.server);
      this.#lost(connection, error as Error);
      return;
    }
    if (this.#connection !== connection) return;
    this.#backoff.reset();
    this.#isProven = true;
    this.#options.onProven();
    this.#proveLater(connection);
  }

  #proveLater(connection: Database): void {
    this.#timer = setTimeout(() => {
      this.#prove(connection).then(
        () => this.#connection === connection && this.#proveLater(connection),
        (error: Error) => this.#lost(connection, error),
      );
    }, this.#options.proofMs ?? PROOF_MS);
  }

  /** @throws unless the connection receives its own notification in time */
  async #prove(connection: Database): Promise<void> {
    const { promise: heard, resolve } = Promise.withResolvers<void>();
    this.#onProof = resolve;
    // A simple query, because a pooler can't refuse it for a prepared statement on another connection.
    const sent = connection.unsafe(`select pg_notify('${this.#proofChannel}', '')`).simple();
    await this.#inTime(Promise.all([sent, heard]));
    this.#provenAt = this.#options.clock.now();
  }

  async #inTime(work: Promise<unknown>): Promise<void> {
    const ms = this.#options.answerMsMax ?? ANSWER_MS_MAX;
    await withDeadline(systemTimers, ms, work, () => new Error(`no notification came back within ${ms} ms`));
  }

  #lost(connection: Database, reason: Error): void {
    if (this.#closed || this.#connection !== connection) return;
    clearTimeout(this.#timer);
    this.#drop();
    this.#isProven = false;
    this.#options.onDeaf(reason);
    this.#timer = setTimeout(() => void this.#listen(), this.#backoff.next());
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    // The connection is not used again, so a failure to close it changes nothing. `onDeaf` has reported why it was given up.
    connection?.end({ timeout: 0 }).catch(() => {});
  }

  #connect(): Database {
    const { server, application } = this.#options.server;
    const options: ClientOptions = {
      max: 1,
      connection: { application_name: application },
      max_lifetime: null,
      fetch_types: false,
      connectMsMax: this.#options.answerMsMax ?? ANSWER_MS_MAX,
      // Otherwise the driver prints notices to the console.
      onnotice: () => {},
      onclose: () => this.#lost(connection, new Error('the connection was closed')),
      // As `sql.listen` of the driver does it. The driver's own repeats a LISTEN that failed after a reconnect only once.
      onnotify: (channel: string, payload: string) => {
        if (channel === this.#proofChannel) this.#onProof?.();
        else if (channel === ticketsChannel) this.#options.onOrderIds(payload.split(','));
      },
    };
    const connection: Database = createClient(server, options);
    return connection;
  }
}
