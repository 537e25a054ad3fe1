import type { OutgoingRecord } from '../../kafka/index.ts';
import type { FailureStep, NewDeadLetter, OwnedKey, ReplayStep } from '../../store/index.ts';
import type { Timers } from '../timers.ts';
import type { SlotReport } from '../wire/slot-protocol.ts';
import type { Parking } from './mailbox.ts';
import type { Transact } from './turn.ts';

/** What the engine does to the world. A simulation puts models in their place. */
export interface EnginePorts {
  timers: Timers;
  /** One fenced transaction around the actor's `apply`. */
  transact: Transact;
  /** Appends a record to Kafka; `done` is called exactly once. */
  append(record: OutgoingRecord, done: (error: Error | null) => void): void;
  /** Records durably that a key is parked; false when the partition is fenced. */
  park(owned: OwnedKey, parking: Parking): Promise<boolean>;
  /** The message has failed for good, or again in a replay, and is parked durably: nothing works on it until an operator has it replayed. Once each time. */
  onParked(place: { partition: number; offset: number }): void;
  /** Undefined in a runtime without a database: dead letters are in their topic alone then, and nothing can be replayed. */
  deadLetters?: DeadLetterStore;
  report(report: SlotReport): void;
  observe: EngineObserver;
}

/**
 * Speaks plain data: a store knows nothing of mailboxes and entries. What became of dead letters, durably and under the fence of the mailbox's epoch: `false` and `fenced` say that a newer epoch owns the
 * partition and nothing was written.
 */
export interface DeadLetterStore {
  /** The dead-letter topic has the message: it may be replayed from now on. Idempotent. */
  record(owned: OwnedKey, letter: NewDeadLetter): Promise<boolean>;
  /** The keys of the partitions that an operator wants replayed. */
  due(partitions: readonly number[]): Promise<{ partition: number; key: string }[]>;
  /** Takes the next place in the pace of the key's replay; resolves with the wait until then, in milliseconds. */
  pace(owned: OwnedKey): Promise<number>;
  /** The oldest message of the key that is still parked; with none left, the key is released. */
  next(owned: OwnedKey): Promise<ReplayStep>;
  /** Effects and outputs of the replayed message are durable. */
  settle(owned: OwnedKey, letter: { offset: number; log: number }): Promise<ReplayStep>;
  /** The replayed message has failed again. `act` is the act that handed the message out. */
  fail(owned: OwnedKey, parking: Parking, act: number): Promise<FailureStep>;
}

/** What is counted. Called per turn or per failure, never per message. */
export interface EngineObserver {
  turn(messages: number, seconds: number): void;
  retry(): void;
  deadLetter(behind: boolean): void;
  /** A message was replayed, and either went through or failed again. */
  replayed?(failed: boolean): void;
}
