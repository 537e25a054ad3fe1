import type { OwnedKey } from '../../store/index.ts';
import { Frontier } from './frontier.ts';

/** What a mailbox needs to know of a message. */
export interface Queued<Entry> {
  readonly key: string;
  readonly offset: number;
  /** Its place in the frontier. */
  readonly sequence: number;
  /** Bytes it counts for. */
  readonly weight: number;
  /** Of the record as such, wherever a mirror puts it; costs a digest. */
  readonly identity?: string;
  /** The next message of the same key. */
  next: Entry | undefined;
}

/** Why a key's messages go to the dead-letter topic, and from which offset on. */
export interface Parking {
  firstOffset: number;
  /** The log that the offset speaks of, as the store counts them; 0 when absent. In another log, all messages of the key are parked. */
  log?: number;
  reason: string;
  error: string;
  attempts: number;
  /** Milliseconds since 1970. */
  firstFailedAt: number;
  /** The effects of the first of them are written: what failed came after. */
  applied: boolean;
}

export interface MailboxIdentity {
  topic: string;
  partition: number;
  /** Counts the assignments of this process; a report of an older one is ignored. */
  incarnation: number;
  /** Fences the effects; undefined in a runtime without a database. */
  epoch: number | undefined;
  /** The log that the partition's offsets speak of, as the store counts them; 0 when absent. */
  log?: number;
  parked: Iterable<[key: string, parking: Parking]>;
  /** Keys with messages that were replayed or discarded, and the offset of the newest of them. */
  settledOffsets?: Iterable<[key: string, offset: number]>;
  /** The same of other logs, by the identities of the messages: a mirror may deliver them again. */
  settledElsewhere?: Iterable<[key: string, identities: readonly string[]]>;
}

/**
 * The mailboxes of one partition, one a key, and its frontier. At most one message of a key is in flight: the others wait behind it
 * in a chain, so a key costs one map entry however many messages wait.
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
  /** Draining: what is in flight finishes, nothing else begins. Closed: whatever still comes back is dropped. */
  state: 'open' | 'draining' | 'closed' = 'open';
  /** Messages that have begun and are neither finished nor waiting for a retry. */
  busy = 0;
  /** Finished since the last report. */
  finishedMessages = 0;
  finishedBytes = 0;
  /** The newest message of each key that has one in flight. */
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

  /** @returns whether the message is ready, i.e. the first of its key. */
  add(entry: Entry): boolean {
    const tail = this.#tails.get(entry.key);
    this.#tails.set(entry.key, entry);
    if (tail === undefined) return true;
    tail.next = entry;
    return false;
  }

  /** @returns the next message of the same key, now ready. */
  finish(entry: Entry): Entry | undefined {
    this.finished(entry);
    if (entry.next === undefined) this.#tails.delete(entry.key);
    return entry.next;
  }

  /** Takes an entry out that is no message of the partition's log, so the frontier knows nothing of it. @returns as `finish` does. */
  leave(entry: Entry): Entry | undefined {
    if (entry.next === undefined) this.#tails.delete(entry.key);
    return entry.next;
  }

  /** Counts a message as finished that never was in the mailbox. */
  finished(entry: Entry): void {
    this.frontier.finish(entry.sequence);
    this.finishedMessages++;
    this.finishedBytes += entry.weight;
  }

  /** Why `entry` goes to the dead-letter topic unprocessed; messages before the failed one were finished and are not parked. */
  parkingOf(entry: Entry): Parking | undefined {
    if (this.parked.size === 0) return undefined;
    const parking = this.parked.get(entry.key);
    if (parking === undefined) return undefined;
    return (parking.log ?? 0) !== this.log || entry.offset >= parking.firstOffset ? parking : undefined;
  }

  /** Whether any key's messages may go another way than through the actor. */
  get diverts(): boolean {
    return this.parked.size > 0 || this.#settled.size > 0 || this.#settledElsewhere.size > 0;
  }

  /** The messages of the key up to the offset were replayed or discarded. */
  settle(key: string, offset: number): void {
    this.#settled.set(key, offset);
  }

  /** The messages were replayed or discarded in another log. */
  settleElsewhere(key: string, identities: readonly string[]): void {
    const known = this.#settledElsewhere.get(key) ?? new Set();
    this.#settledElsewhere.set(key, known);
    for (const identity of identities) known.add(identity);
  }

  /**
   * The message was replayed or discarded, and is delivered again because its offset was not committed, or by a mirror into another log: nothing is to
   * be done.
   */
  isSettled(entry: Entry): boolean {
    if (this.#settled.size > 0 && entry.offset <= (this.#settled.get(entry.key) ?? -1)) return true;
    const elsewhere = this.#settledElsewhere.size === 0 ? undefined : this.#settledElsewhere.get(entry.key);
    return elsewhere !== undefined && entry.identity !== undefined && elsewhere.has(entry.identity);
  }

  /** The next message has this offset: none below it comes any more. */
  arrivedAt(offset: number): void {
    if (this.#settled.size === 0) return;
    // Messages that arrived before may still wait to begin.
    const finishedBelow = this.frontier.position ?? offset;
    for (const [key, settled] of this.#settled) if (settled < finishedBelow) this.#settled.delete(key);
  }

  close(): void {
    this.state = 'closed';
    this.#tails.clear();
  }
}
