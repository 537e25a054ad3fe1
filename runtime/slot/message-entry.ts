import { messageIdentity } from '../../contracts/message-identity.ts';
import type { Message, Outputs } from '../actor.ts';
import { PackedBatch } from '../wire/batch-codec.ts';
import type { Dependency } from '../wire/slot-protocol.ts';
import type { Mailbox, Queued } from './mailbox.ts';

/** Not a sequence number of the frontier. */
const NO_SEQUENCE = -1;

/** What is known of a message that failed. */
export interface Failure {
  attempts: number;
  /** Milliseconds since 1970. */
  firstFailedAt: number;
  /** Its effects were written in one of the attempts. */
  applied: boolean;
}

/** What is known of a message that waits for something that is down. */
export interface Waiting {
  dependency: Dependency;
  /** Milliseconds since 1970. */
  since: number;
  attempts: number;
  /** How often messages had come through what it waits for, at its last failure. */
  successes: number;
  /** How many of its failures had other messages coming through since the one before. */
  witnessed: number;
}

/** `called`: it has its place among the messages of its key, and which message it is turns out when its turn comes. Then: the act that replays it. */
export type Replay = 'called' | { act: number; log: number };

/**
 * A message in flight: the actor's view of the record and the runtime's own bookkeeping. One object a message; key, value and
 * headers come out of the packed batch when they are asked for.
 */
export class MessageEntry implements Message, Queued<MessageEntry> {
  readonly mailbox: Mailbox<MessageEntry>;
  /** To finish it by in the partition's frontier. */
  readonly sequence: number;
  /** The next message of the same key. */
  next: MessageEntry | undefined = undefined;
  failure: Failure | undefined = undefined;
  waiting: Waiting | undefined = undefined;
  input: unknown = undefined;
  prepared: unknown = undefined;
  outputs: Outputs | undefined = undefined;
  /** For a message that an operator replays: it is no new message of the log. */
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

  /** A place in the chain of a key, for the message that is to be replayed next when the place comes up. */
  static placeFor(mailbox: Mailbox<MessageEntry>, key: string): MessageEntry {
    const entry = new MessageEntry(mailbox, NO_SEQUENCE, PackedBatch.empty, 0, 0);
    entry.#key = key;
    entry.replay = 'called';
    return entry;
  }

  /** Becomes the one message of the batch, under its own key. */
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

  /** The log that the offset speaks of, as the store counts them. */
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

  /** Bytes of key, value and headers. */
  get weight(): number {
    return this.#batch.weight(this.#index);
  }

  /** Takes its own bytes out of the batch, before a long wait. */
  detach(): void {
    if (this.#batch.count === 1) return;
    this.#batch = this.#batch.detach(this.#index, this.#start);
    this.#index = 0;
    this.#start = this.#batch.payloadStart;
  }
}
