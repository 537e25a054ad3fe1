// A message while it is in a slot. `SlotEngine.take` makes one for each record.

import { messageIdentity } from '../../contracts/message-identity.ts';
import type { Message, Outputs } from '../actor.ts';
import { PackedBatch } from '../wire/batch-codec.ts';
import type { Dependency } from '../wire/slot-protocol.ts';
import type { Mailbox, Queued } from './mailbox.ts';

/** Not a sequence number of the frontier. */
const NO_SEQUENCE = -1;

/** The failures of a message. */
export interface Failure {
  attempts: number;
  /** Milliseconds since 1970. */
  firstFailedAt: number;
  /** Its effects were committed in one of the attempts. */
  applied: boolean;
}

/** The wait of a message for something that is down. */
export interface Waiting {
  dependency: Dependency;
  /** Milliseconds since 1970. */
  since: number;
  attempts: number;
  /** How many messages had come through the same dependency at the last failure of this one. */
  successes: number;
  /** How many of its failures came after other messages had succeeded. */
  witnessed: number;
}

/**
 * `called`: a place in the chain of its key. Which message it will be is decided when the place is the first of its key. After that: the
 * act that replays the message, and the message's log.
 */
export type Replay = 'called' | { act: number; log: number };

/**
 * A message in flight: the record as the actor sees it, and the runtime's own bookkeeping. One object per message. Key, value and headers
 * are read from the packed batch when they are asked for.
 */
export class MessageEntry implements Message, Queued<MessageEntry> {
  readonly mailbox: Mailbox<MessageEntry>;
  /** Its sequence number in the partition's frontier. */
  readonly sequence: number;
  /** The next message of the same key. */
  next: MessageEntry | undefined = undefined;
  failure: Failure | undefined = undefined;
  waiting: Waiting | undefined = undefined;
  input: unknown = undefined;
  prepared: unknown = undefined;
  outputs: Outputs | undefined = undefined;
  /** Set for a message that an operator replays. Such an entry is not in the frontier. */
  replay: Replay | undefined = undefined;
  #batch: PackedBatch;
  #index: number;
  #start: number;
  #key: string | undefined = undefined;

  constructor(mailbox: Mailbox<MessageEntry>, sequence: number, batch: PackedBatch, index: number, start: number) {
    this.mailbox = mailbox;
    this.sequence = sequence;
    this.#batch = batch;
    this.#index = index;
    this.#start = start;
  }

  /** A place in the chain of a key. It becomes the oldest parked message when it is the first of its key (dead-letters/key-replays.ts). */
  static placeFor(mailbox: Mailbox<MessageEntry>, key: string): MessageEntry {
    const entry = new MessageEntry(mailbox, NO_SEQUENCE, PackedBatch.empty, 0, 0);
    entry.#key = key;
    entry.replay = 'called';
    return entry;
  }

  /** The place becomes the only message of the batch. */
  load(batch: PackedBatch, act: number, log: number): void {
    this.#batch = batch;
    this.#index = 0;
    this.#start = batch.payloadStart;
    this.replay = { act, log };
  }

  get topic(): string {
    return this.mailbox.topic;
  }

  get partition(): number {
    return this.mailbox.partition;
  }

  get offset(): number {
    return this.#batch.offsets[this.#index] as number;
  }

  /** The log that the offset belongs to, by its number in `partition_logs`. */
  get log(): number {
    return typeof this.replay === 'object' ? this.replay.log : this.mailbox.log;
  }

  get identity(): string {
    return messageIdentity(this);
  }

  get timestamp(): number {
    return this.#batch.timestamps[this.#index] as number;
  }

  get key(): string {
    this.#key ??= this.#batch.keyText(this.#index, this.#start) ?? `${this.partition}:${this.offset}`;
    return this.#key;
  }

  /** The key's own bytes, which need not be text. */
  get keyBytes(): Buffer | null {
    return this.#batch.key(this.#index, this.#start);
  }

  get value(): Buffer | null {
    return this.#batch.value(this.#index, this.#start);
  }

  get headers(): Record<string, Buffer> {
    return this.#batch.headers(this.#index, this.#start);
  }

  header(name: string): string | undefined {
    return this.#batch.header(this.#index, this.#start, name);
  }

  /** Bytes of key, value and headers. */
  get weight(): number {
    return this.#batch.weight(this.#index);
  }

  /** Copies its own bytes out of the batch before a long wait, so that the batch can be freed. */
  detach(): void {
    if (this.#batch.count === 1) return;
    this.#batch = this.#batch.detach(this.#index, this.#start);
    this.#index = 0;
    this.#start = this.#batch.payloadStart;
  }
}
