import type { Registry } from 'prom-client';
import type { OutgoingRecord } from '../kafka/index.ts';
import type { TurnSql } from '../store/index.ts';

export type { TurnSql };

/**
 * One record of the actor's topic. `value` and the headers' values are views into the fetched batch: valid for as long as you hold them,
 * but each one that you hold keeps a whole fetch in memory (`Buffer.from(value)` makes a copy). Never write to them: a retry and the dead
 * letter use the same bytes.
 */
export interface Message {
  topic: string;
  partition: number;
  offset: number;
  /** Milliseconds since 1970, the record's timestamp. */
  timestamp: number;
  /** The OrderID. A record without a key gets `<partition>:<offset>` as its key. */
  key: string;
  value: Buffer | null;
  /** All headers, decoded at each access. */
  readonly headers: Readonly<Record<string, Buffer>>;
  /** One header as text; cheaper than `headers`. `undefined` where the record does not have it. The name is ASCII. */
  header(name: string): string | undefined;
}

/** What `apply` gets for one message: the message, the result of `decode` and the result of `prepare`. */
export interface Item<In, Prepared> {
  message: Message;
  input: In;
  prepared: Prepared;
}

/** The records that one message causes, in order; produced with acks=all before the message counts as finished. */
export type Outputs = readonly OutgoingRecord[];

/** `decode` returns this for a message that does not concern the actor; the message is finished at once. */
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
 * message: the partition pauses and retries for as long as it takes. An actor with `prepareAtOnce` keeps its partitions open while only
 * its third party is down.
 */
export interface Actor<In, Prepared = undefined> {
  decode(message: Message): In | typeof skip;
  prepare?(input: In, message: Message): Promise<Prepared>;
  /**
   * Optional, beside `prepare`. Returns what `prepare` would return for a message that needs no third party, otherwise undefined. Pure. While
   * the third party is down or busy, such messages overtake those of other keys that wait for it, and no partition pauses.
   */
  prepareAtOnce?(input: In, message: Message): Prepared | undefined;
  apply?(items: readonly Item<In, Prepared>[], sql: TurnSql): Promise<readonly Outputs[]>;
  /**
   * Optional. Called when effects and outputs of the message are durable, for example to count what has happened, because `apply` may be
   * rolled back. It must be quick and must not throw. Called again for a message that is delivered again.
   */
  completed?(input: In, message: Message): void;
  /** Called once when the thread stops. */
  close?(): Promise<void>;
}

/** What a thread gives to `createActor`. It crosses the thread boundary, so it is plain data. */
export interface ActorContext<Settings> {
  settings: Settings;
  slot: number;
  /** For the actor's own metrics; scraped together with the metrics of its thread. */
  registry: Registry;
}

/** An actor module exports `createActor`; the runtime imports it in each thread. */
export interface ActorModule<Settings = unknown> {
  createActor(context: ActorContext<Settings>): Actor<unknown, unknown> | Promise<Actor<unknown, unknown>>;
}

/** Something that the message needs is down (a provider, a store). The message is not poison. */
export class OutageError extends Error {
  override name = 'OutageError';
}

/**
 * A failure whose cause is unknown: the answer points neither to an outage nor to the message. It is waited out like an outage. If the same
 * message keeps failing while others come through `prepare`, the message is at fault and is parked.
 */
export class UnexplainedError extends OutageError {
  override name = 'UnexplainedError';
}
