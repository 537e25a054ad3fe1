import type { OutgoingRecord } from '../kafka/producer.ts';
import type { Mailbox, Parking } from './mailbox.ts';
import type { MessageEntry } from './message-entry.ts';
import type { SlotReport } from './slot-protocol.ts';
import type { Timers } from './timers.ts';
import type { Transact } from './turn.ts';

/** What the engine does to the world. A simulation puts models in their place. */
export interface EnginePorts {
  timers: Timers;
  /** One fenced transaction around the actor's `apply`. */
  transact: Transact;
  /** Appends a record to Kafka; `done` is called exactly once. */
  append(record: OutgoingRecord, done: (error: Error | null) => void): void;
  /** Records durably that a key is parked; false when the partition is fenced. */
  park(mailbox: Mailbox<MessageEntry>, key: string, parking: Parking): Promise<boolean>;
  report(report: SlotReport): void;
  observe: EngineObserver;
}

/** What is counted. Called per turn or per failure, never per message. */
export interface EngineObserver {
  turn(messages: number, seconds: number): void;
  retry(): void;
  deadLetter(behind: boolean): void;
}
