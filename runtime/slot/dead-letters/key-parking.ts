import { exponentialDelayMs } from '../../../contracts/backoff.ts';
import { describeError, faultOf } from '../../outage.ts';
import type { SlotLimits, SlotReport } from '../../wire/slot-protocol.ts';
import type { EnginePorts } from '../engine-ports.ts';
import type { Parking } from '../mailbox.ts';
import type { MessageEntry } from '../message-entry.ts';
import type { SlotOutages } from '../slot-outages.ts';
import { deadLetterRecord, isFirst, newDeadLetter, parkingFor } from './dead-letter.ts';

/** What parking tells the scheduler. */
export interface ParkingHooks {
  /** A key is parked, durably. */
  parked(): void;
  /** The message is in the dead-letter topic: its key goes on. */
  finish(entry: MessageEntry): void;
  /** A newer epoch owns the partition. */
  fence(partition: number): void;
}

/**
 * Parks keys and writes dead letters. First the key is parked durably, then its message is written to the dead-letter topic: no crash can
 * let a follower pass. Then it is recorded for a replay. All are tried for ever: a message that is neither processed nor parked must hold the frontier.
 */
export class KeyParking {
  readonly #group: string;
  readonly #limits: SlotLimits;
  readonly #ports: EnginePorts;
  readonly #outages: SlotOutages;
  readonly #hooks: ParkingHooks;

  constructor(group: string, limits: SlotLimits, ports: EnginePorts, outages: SlotOutages, hooks: ParkingHooks) {
    this.#group = group;
    this.#limits = limits;
    this.#ports = ports;
    this.#outages = outages;
    this.#hooks = hooks;
  }

  /** The message's retries are over: `error` is the last one. */
  park(entry: MessageEntry, error: unknown): void {
    this.#park(entry, parkingFor(entry, error), 1);
  }

  /** The message's key is parked already, from this message or an earlier one on. */
  writeDeadLetter(entry: MessageEntry, parking: Parking): void {
    this.#writeDeadLetter(entry, parking, 1);
  }

  #park(entry: MessageEntry, parking: Parking, attempt: number): void {
    const { mailbox } = entry;
    this.#ports.park(mailbox.owned(entry.key), parking).then(
      (current) => {
        if (mailbox.state === 'closed') return;
        if (!current) {
          this.#hooks.fence(mailbox.partition);
          return;
        }
        this.#outages.recovered('database');
        mailbox.parked.set(entry.key, parking);
        this.#ports.report(poison(entry, parking));
        // Without a database the next thread knows nothing of it, and no replay will come.
        if (this.#ports.deadLetters !== undefined) this.#ports.onParked(entry);
        this.#hooks.parked();
        this.#writeDeadLetter(entry, parking, 1);
      },
      (error) => {
        this.#outages.failed('database', error, { entry });
        this.#retryFor(attempt, () => this.#park(entry, parking, attempt + 1));
      },
    );
  }

  #writeDeadLetter(entry: MessageEntry, parking: Parking, attempt: number, withValue = true): void {
    if (entry.mailbox.state === 'closed') return;
    this.#ports.append(deadLetterRecord(entry, this.#group, parking, withValue), (error) => {
      if (error === null) {
        this.#outages.recovered('broker');
        this.#ports.observe.deadLetter(!isFirst(entry, parking));
        this.#record(entry, parking, 1);
        return;
      }
      if (withValue && faultOf(error) === 'message') {
        // The reasons in its headers have made it too large, or the topic takes less than the one that it comes from.
        const refusal = `the dead-letter topic refuses it (${describeError(error)}); it goes there without its value`;
        this.#ports.report(poison(entry, { ...parking, error: refusal }));
        this.#writeDeadLetter(entry, parking, attempt, false);
        return;
      }
      this.#outages.failed('broker', error, { entry });
      this.#retryFor(attempt, () => this.#writeDeadLetter(entry, parking, attempt + 1, withValue));
    });
  }

  /** Recorded after the topic has it and before it counts as finished: what is recorded is in the topic, what is committed is recorded. */
  #record(entry: MessageEntry, parking: Parking, attempt: number): void {
    const { mailbox } = entry;
    if (mailbox.state === 'closed') return;
    const { deadLetters } = this.#ports;
    if (deadLetters === undefined) {
      this.#hooks.finish(entry);
      return;
    }
    deadLetters.record(mailbox.owned(entry.key), newDeadLetter(entry, parking)).then(
      (current) => {
        if (mailbox.state === 'closed') return;
        if (!current) return this.#hooks.fence(mailbox.partition);
        this.#outages.recovered('database');
        this.#hooks.finish(entry);
      },
      (error) => {
        this.#outages.failed('database', error, { entry });
        this.#retryFor(attempt, () => this.#record(entry, parking, attempt + 1));
      },
    );
  }

  #retryFor(attempt: number, act: () => void): void {
    const { outageBackoffMs, outageBackoffMsMax } = this.#limits;
    this.#ports.timers.after(exponentialDelayMs(attempt, outageBackoffMs, outageBackoffMsMax), act);
  }
}

function poison({ partition, offset, key }: MessageEntry, { reason, error, attempts }: Parking): SlotReport {
  return { kind: 'poison', partition, offset, key, reason, error, attempts };
}
