import type { OutgoingRecord } from '../../kafka/index.ts';
import type { FailureStep, NewDeadLetter, OwnedKey, Parking, ReplayStep } from '../../store/index.ts';
import type { StageClock } from '../../telemetry/stages/stage-clock.ts';
import type { Timers } from '../timers.ts';
import type { SlotReport } from '../wire/slot-protocol.ts';
import type { Transact } from './turn.ts';

/** What the engine needs from outside. `slot-thread.ts` connects it to Kafka and PostgreSQL; the simulation puts models in their place. */
export interface EnginePorts {
  timers: Timers;
  /** One fenced transaction around the actor's `apply`. */
  transact: Transact;
  /** Appends a record to Kafka; `done` is called exactly once. */
  append(record: OutgoingRecord, done: (error: Error | null) => void): void;
  /**
   * Records durably that a key is parked.
   * @returns false when a newer epoch owns the partition
   */
  park(owned: OwnedKey, parking: Parking): Promise<boolean>;
  /**
   * Called once each time a message is parked durably, for a first failure or a failed replay. From now on the message waits for an
   * operator.
   */
  onParked(place: { partition: number; offset: number }): void;
  /** Undefined in a runtime without a database. Dead letters are only in their topic then, and can't be replayed. */
  deadLetters?: DeadLetterStore;
  report(report: SlotReport): void;
  observe: EngineObserver;
  /** The clock of the engine's thread. */
  stages: StageClock;
}

/**
 * What becomes of dead letters, in plain data: a store knows no mailboxes and no entries. Each write is durable and under the fence of the
 * epoch in `owned`: `false` and `fenced` mean that a newer epoch owns the partition and nothing was written.
 */
export interface DeadLetterStore {
  /** Called after the dead-letter topic has the message; from now on it may be replayed. Idempotent. */
  record(owned: OwnedKey, letter: NewDeadLetter): Promise<boolean>;
  /** The keys in these partitions for which an operator has asked for a replay. */
  due(partitions: readonly number[]): Promise<{ partition: number; key: string }[]>;
  /**
   * Reserves the next point in time in the pace of the key's replay.
   * @returns the wait until then, in milliseconds
   */
  pace(owned: OwnedKey): Promise<number>;
  /** The oldest message of the key that is still parked. If there is none, the key is released. */
  next(owned: OwnedKey): Promise<ReplayStep>;
  /** Called when effects and outputs of the replayed message are durable. */
  settle(owned: OwnedKey, letter: { offset: number; log: number }): Promise<ReplayStep>;
  /** Called when the replayed message is out of retries again. `act` is the act that handed the message out. */
  fail(owned: OwnedKey, parking: Parking, act: number): Promise<FailureStep>;
}

/** Counts what happens, for metrics. Called per turn or per failure, never per message. */
export interface EngineObserver {
  turn(messages: number, seconds: number): void;
  retry(): void;
  deadLetter(behind: boolean): void;
  /** A message was replayed: it succeeded, or failed again. */
  replayed?(failed: boolean): void;
}
