import type { OwnedKey, Parking } from '../../store/index.ts';
import { Frontier } from './frontier.ts';

/** What a mailbox needs to know about a message. */
export interface Queued<Entry> {
  readonly key: string;
  readonly offset: number;
  /** Its sequence number in the frontier. */
  readonly sequence: number;
  /** Bytes of the message, for the limits of a partition. */
  readonly weight: number;
  /** Names the record itself, so that its copy in another log can be recognised. Computed when it is read: it costs a digest. */
  readonly identity?: string;
  /** The next message of the same key. */
  next: Entry | undefined;
}

export interface MailboxIdentity {
  topic: string;
  partition: number;
  /** Counts the openings of partitions by this process. A batch or report with an older number is ignored. */
  incarnation: number;
  /** The epoch of the fence; undefined in a runtime without a database. */
  epoch: number | undefined;
  /** The log that the partition's offsets belong to, by its number in `partition_logs`; 0 when absent. */
  log?: number;
  parked: Iterable<[key: string, parking: Parking]>;
  /** Keys with replayed or discarded messages, with the offset of the newest of them. */
  settledOffsets?: Iterable<[key: string, offset: number]>;
  /** The same for messages of other logs, by identity: a mirror may deliver them again. */
  settledElsewhere?: Iterable<[key: string, identities: readonly string[]]>;
}

/**
 * The mailboxes of one partition (one per key) and its frontier. At most one message of a key is in work; later ones wait behind it in a
 * linked list, so a key costs one map entry, however many messages wait. `SlotEngine` has one for each open partition.
 */
export class Mailbox<Entry extends Queued<Entry>> {
  readonly topic: string;
  readonly partition: number;
  readonly incarnation: number;
  readonly epoch: number | undefined;
  readonly log: number;
  readonly frontier = new Frontier();
  readonly parked: Map<string, Parking>;
  readonly #settled: Map<string, number>;
  readonly #settledElsewhere = new Map<string, Set<string>>();
  /** Draining: messages in work finish, and no other message begins. Closed: results that still arrive are dropped. */
  state: 'open' | 'draining' | 'closed' = 'open';
  /** Messages that have begun and are neither finished nor waiting for a retry. */
  busy = 0;
  /** Finished since the last report. */
  finishedMessages = 0;
  finishedBytes = 0;
  /** The newest message of each key that has a message in flight. */
  readonly #tails = new Map<string, Entry>();

  constructor(identity: MailboxIdentity) {
    this.topic = identity.topic;
    this.partition = identity.partition;
    this.incarnation = identity.incarnation;
    this.epoch = identity.epoch;
    this.log = identity.log ?? 0;
    this.parked = new Map(identity.parked);
    this.#settled = new Map(identity.settledOffsets);
    for (const [key, identities] of identity.settledElsewhere ?? []) this.settleElsewhere(key, identities);
  }

  /** Keys with a message in flight. */
  get keys(): number {
    return this.#tails.size;
  }

  /** For the store of dead letters. Without an epoch there is no such store. */
  owned(key: string): OwnedKey {
    return { partition: this.partition, epoch: this.epoch ?? -1, key, log: this.log };
  }

  holds(key: string): boolean {
    return this.#tails.has(key);
  }

  /** @returns whether the message is ready: the first of its key */
  add(entry: Entry): boolean {
    const tail = this.#tails.get(entry.key);
    this.#tails.set(entry.key, entry);
    if (tail === undefined) return true;
    tail.next = entry;
    return false;
  }

  /** @returns the next message of the same key, which is ready now */
  finish(entry: Entry): Entry | undefined {
    this.finished(entry);
    if (entry.next === undefined) this.#tails.delete(entry.key);
    return entry.next;
  }

  /**
   * Takes out a place of a replay. It is no message of the log, so the frontier doesn't know it.
   * @returns as `finish` does
   */
  leave(entry: Entry): Entry | undefined {
    if (entry.next === undefined) this.#tails.delete(entry.key);
    return entry.next;
  }

  /** Marks a message as finished that was never added. */
  finished(entry: Entry): void {
    this.frontier.finish(entry.sequence);
    this.finishedMessages++;
    this.finishedBytes += entry.weight;
  }

  /**
   * The parking if `entry` must go to the dead-letter topic without being worked on; undefined otherwise. Messages before the failed one
   * are not parked.
   */
  parkingOf(entry: Entry): Parking | undefined {
    if (this.parked.size === 0) return undefined;
    const parking = this.parked.get(entry.key);
    if (parking === undefined) return undefined;
    return (parking.log ?? 0) !== this.log || entry.offset >= parking.firstOffset ? parking : undefined;
  }

  /** Whether some keys may have messages that must not go to the actor. A cheap test before the exact ones. */
  get diverts(): boolean {
    return this.parked.size > 0 || this.#settled.size > 0 || this.#settledElsewhere.size > 0;
  }

  /** The messages of the key up to this offset were replayed or discarded. */
  settle(key: string, offset: number): void {
    this.#settled.set(key, offset);
  }

  /** These messages were replayed or discarded in another log. */
  settleElsewhere(key: string, identities: readonly string[]): void {
    const known = this.#settledElsewhere.get(key) ?? new Set();
    this.#settledElsewhere.set(key, known);
    for (const identity of identities) known.add(identity);
  }

  /**
   * Whether the message was replayed or discarded already. It is delivered again because its offset was not committed, or because a mirror
   * copied it into another log. There is nothing to do for it.
   */
  isSettled(entry: Entry): boolean {
    if (this.#settled.size > 0 && entry.offset <= (this.#settled.get(entry.key) ?? -1)) return true;
    const elsewhere = this.#settledElsewhere.size === 0 ? undefined : this.#settledElsewhere.get(entry.key);
    return elsewhere !== undefined && entry.identity !== undefined && elsewhere.has(entry.identity);
  }

  /** The next message has this offset, so no message below it will arrive any more. Settled offsets below it are forgotten. */
  arrivedAt(offset: number): void {
    if (this.#settled.size === 0) return;
    // Messages that arrived before may still wait, so only what the frontier has passed is forgotten.
    const finishedBelow = this.frontier.position ?? offset;
    for (const [key, settled] of this.#settled) if (settled < finishedBelow) this.#settled.delete(key);
  }

  close(): void {
    this.state = 'closed';
    this.#tails.clear();
  }
}
