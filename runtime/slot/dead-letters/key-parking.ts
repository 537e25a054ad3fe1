import { exponentialDelayMs } from '../../../contracts/backoff.ts';
import type { Parking } from '../../../store/index.ts';
import { describeError, faultOf } from '../../outage.ts';
import type { SlotLimits, SlotReport } from '../../wire/slot-protocol.ts';
import type { EnginePorts } from '../engine-ports.ts';
import type { MessageEntry } from '../message-entry.ts';
import type { SlotOutages } from '../slot-outages.ts';
import { deadLetterRecord, isFirst, newDeadLetter, parkingFor } from './dead-letter.ts';

/** What parking tells the engine. */
export interface ParkingHooks {
  /** A key is parked, durably. */
  parked(): void;
  /** The dead letter is written and recorded: the message is finished, and the next one of its key begins. */
  finish(entry: MessageEntry): void;
  /** A newer epoch owns the partition. */
  fence(partition: number): void;
}

/*
 * Park, then write. A message that is out of retries leaves the slot in four steps, and each step begins when the one before is durable:
 *
 *   1. park     PostgreSQL: the key is parked from this message on           (parked_keys, under the fence)
 *   2. write    Kafka: the message goes to the dead-letter topic
 *   3. record   PostgreSQL: the message is a row that can be replayed        (dead_letters, under the fence)
 *   4. finish   the frontier may pass the message, so its offset may be committed
 *
 * A later message of a parked key (a follower) enters at step 2: `SlotEngine.#begin` finds its key parked and runs no step of the actor.
 *
 * What must hold: once a message has been given up, no later message of its key is worked on before an operator says so. And a process
 * may be killed between any two steps. After a crash between 1 and 4 the next owner gets the message again, because its offset is not
 * committed, and loads the parked keys with the claim. It finds the key parked and goes on with step 2. The topic may then have
 * the message twice; its readers know a repetition by partition, offset and log in the headers. The table ignores it.
 *
 * Why park before write? Suppose that 2 came first, and the process is killed after it. The next owner gets the message again and knows
 * nothing of a failure. By now the provider works, the message goes through, and its followers too. But the dead-letter topic says that
 * the order is parked. An operator, or the restore of a region (store/dead-letters/restore-letters.ts), believes the topic: the key is
 * parked in the middle of its life, and a message with effects is replayed.
 *
 * Why write before record? What is in the table can be replayed. Suppose that 3 came first, and the process is killed after it. The next
 * owner replays the message before Kafka delivers it again, and then passes the second delivery as settled. The message never comes to
 * the topic, which is the interface for other tools and the source of a restore.
 *
 * Why record before finish? If the offset is committed and the row is missing, nothing delivers the message again. The replay finds no
 * letter of the key, releases the key, and the message is lost while its followers are worked on.
 *
 * Why no follower slips through while step 1 is in flight: it is still queued behind the message in the chain of the key. The chain moves
 * on in step 4. `mailbox.parked` is set between 1 and 2, so it is set long before.
 *
 * No step gives up. A message that is neither processed nor parked must hold the frontier, so each step is repeated for as long as the
 * outage takes. Therefore each step must stay safe to repeat: parking a parked key and recording a recorded letter change nothing.
 *
 * The fence: an owner that is out is refused in 1 and 3. Kafka has no fence for 2, so a stale owner may still add records to the topic.
 * That is harmless as long as nothing but the table decides what is replayed.
 *
 * If you change this file: do not merge 1 and 3 into one transaction to save a round trip. One of the two orders above would break.
 */

/**
 * Parks keys and writes dead letters, in the steps above. `SlotEngine` calls `park` for a message that is out of retries, and
 * `writeDeadLetter` for a later message of a parked key.
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

  /** The message is out of retries; `error` is its last failure. */
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
        // Without a database the next thread doesn't know that the key is parked, and a replay is impossible.
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
        // The added headers have made the record too large, or the dead-letter topic allows less than the message's own topic.
        const refusal = `the dead-letter topic refuses it (${describeError(error)}); it goes there without its value`;
        this.#ports.report(poison(entry, { ...parking, error: refusal }));
        this.#writeDeadLetter(entry, parking, attempt, false);
        return;
      }
      this.#outages.failed('broker', error, { entry });
      this.#retryFor(attempt, () => this.#writeDeadLetter(entry, parking, attempt + 1, withValue));
    });
  }

  /** Step 3: after the topic has the message, and before the message is finished. */
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
