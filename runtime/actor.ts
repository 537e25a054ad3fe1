import type { Registry } from 'prom-client';
import type { OutgoingRecord } from '../kafka/index.ts';
import type { TurnSql } from '../store/index.ts';

export type { TurnSql };

/**
 * One record of the actor's topic, inside the thread that owns its partition. `value` and the headers' values are views into the batch that was
 * fetched: valid for as long as you hold them, but one that is held keeps up to a fetch in memory (`Buffer.from(value)` is a copy of its own).
 * Never write to them: a retry and the dead letter have the same bytes.
 */
export interface Message {
  topic: string;
  partition: number;
  offset: number;
  /** Milliseconds since the epoch, the record's timestamp. */
  timestamp: number;
  /** The OrderID. Records without a key are their own key (`<partition>:<offset>`). */
  key: string;
  value: Buffer | null;
  /** Decoded at each access. */
  readonly headers: Readonly<Record<string, Buffer>>;
}

/** What `apply` gets for one message: the message, what `decode` made of it and what `prepare` brought. */
export interface Item<In, Prepared> {
  message: Message;
  input: In;
  prepared: Prepared;
}

/** The records that one message causes, in order; produced with acks=all before the message counts as finished. */
export type Outputs = readonly OutgoingRecord[];

/** `decode` returns this for a message the actor has no interest in; it is finished at once. */
export const skip: unique symbol = Symbol('skip');

/**
 * An actor: what happens to one message of its topic. Per key everything is serial: the next message of a key is not decoded before
 * the effects and outputs of the one before are durable. Different keys run concurrently.
 *
 * The three steps keep third parties, decisions and effects apart:
 * 1. `decode` bytes to a value. Pure. Throwing makes the message poison (retried, then parked).
 * 2. `prepare`, optional: calls to a third party, concurrently per message, with an idempotency key of the order. It can run
 *    more than once for a message, so it may change nothing but through that key.
 * 3. `apply`, optional: the effects of all ready messages, of different keys, in **one** transaction per turn; returns the outputs of
 *    each item, in the order of the items. It can run again for a message whose outputs were not yet acknowledged, so it stores its
 *    decision keyed by OrderID and a redelivery repeats the same outputs. The transaction is already fenced: if a newer
 *    epoch owns a partition, its statements fail and nothing is written. Once it has ended, late statements are refused.
 *
 * An error thrown by `prepare` concerns that message alone. When `apply` throws, the turn is split until the failing message is
 * found, and the others succeed. `OutageError` (or an error of the database or broker connection) is never the fault of a
 * message: the partition pauses and retries for as long as it takes.
 */
export interface Actor<In, Prepared = undefined> {
  decode(message: Message): In | typeof skip;
  prepare?(input: In, message: Message): Promise<Prepared>;
  apply?(items: readonly Item<In, Prepared>[], sql: TurnSql): Promise<readonly Outputs[]>;
  /**
   * Optional: effects and outputs of the message are durable. For counting what has happened, where `apply` may yet be rolled back; it must be quick
   * and must not throw. A message that is delivered again comes here again.
   */
  completed?(input: In, message: Message): void;
  /** Called once when the thread stops. */
  close?(): Promise<void>;
}

/** What a thread gives the actor it creates. Plain data crosses the thread boundary, nothing else. */
export interface ActorContext<Settings> {
  settings: Settings;
  slot: number;
  /** For metrics of the actor's own; scraped with those of its thread. */
  registry: Registry;
}

/** An actor module exports `createActor`; the runtime imports it in each thread. */
export interface ActorModule<Settings = unknown> {
  createActor(context: ActorContext<Settings>): Actor<unknown, unknown> | Promise<Actor<unknown, unknown>>;
}

/** Something that the message needs is down (a provider, a store): not poison. */
export class OutageError extends Error {
  override name = 'OutageError';
}

/**
 * A failure whose fault is unknown: an answer that speaks neither of an outage nor of the message. Waited for like an outage; when the same message
 * fails so again and again while others come through `prepare`, it is that message's fault, and it is parked.
 */
export class UnexplainedError extends OutageError {
  override name = 'UnexplainedError';
}
