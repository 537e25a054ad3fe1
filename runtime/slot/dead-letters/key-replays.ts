import { exponentialDelayMs } from '../../../contracts/backoff.ts';
import type { ReplayStep, SettledElsewhere } from '../../../store/index.ts';
import { PackedBatch, packBatch } from '../../wire/batch-codec.ts';
import type { SlotLimits } from '../../wire/slot-protocol.ts';
import type { DeadLetterStore, EnginePorts } from '../engine-ports.ts';
import type { Mailbox } from '../mailbox.ts';
import { MessageEntry } from '../message-entry.ts';
import type { SlotOutages } from '../slot-outages.ts';
import { parkingFor } from './dead-letter.ts';

/** How often the store is asked for keys to replay, while any key of the slot is parked. */
const POLL_MS = 500;

/** What replays ask of the engine. */
export interface ReplayHooks {
  mailboxes(): Iterable<Mailbox<MessageEntry>>;
  /** Puts the entry at the end of the chain of its key. */
  enqueue(entry: MessageEntry): void;
  /** Works on the message that the entry has just loaded. */
  work(entry: MessageEntry): void;
  /** Takes the entry out of the chain, so that the next message of the key begins. */
  leave(entry: MessageEntry): void;
  /** A newer epoch owns the partition. */
  fence(partition: number): void;
}

/*
 * The replay of a parked key. The letters of the key are rows in PostgreSQL, oldest first. Live messages of the key keep arriving and
 * become letters behind them. The replay must work on all letters in order, then release the key, so that the next live message goes
 * through the actor again. No message may overtake another.
 *
 * The idea: there is one order of a key, the chain in its mailbox, and a replay stands in that chain like a message. An entry without a
 * message of its own (a place) is put at the end of the chain. When it is the first of its key it asks for the oldest letter, loads it,
 * and goes through the slot like any message:
 *
 *   chain of key K:   8 (live)     place       9 (live)                  letters of K: 5, 6, 7
 *                     is parked    waits       waits                     8 becomes a letter:  5, 6, 7, 8
 *                                  takes 5     waits                     5 is worked on:      6, 7, 8
 *                                  leaves      is parked, new place behind                    6, 7, 8, 9
 *
 * Whatever stood before the place has been finished by then, so it is in the table, behind the letters that were there. Whatever stands
 * after the place waits. So `next` sees every letter that is older than the place, and no live message of K is on its way to the table.
 *
 * The release depends on exactly that. The store says "nothing of K is parked" and releases K in one transaction, while a place has K to
 * itself. The counter-example is a release by the operator's command, or by a poll:
 *
 *   the engine finds K parked and sends message 9 to the dead-letter topic
 *   the command finds no parked letter of K, and releases K
 *   9 is recorded: a letter of a key that is not parked. No replay comes for it
 *   10 is worked on: it has overtaken 9
 *
 * One letter per place, and a new place for the next letter. If one place held K for a whole replay with `--rate 1` and 10,000 letters,
 * live messages of K would hold the frontier of the partition for hours. As it is, only places wait for the pace, and before they enter
 * the chain (`#proceed`). The price: live messages that wait behind a place become letters too, and the replay has to catch up
 * with them. It does, because an order has few messages.
 *
 * All state is in the store; a place is only memory. After a crash at any point the next owner finds K in its replay, and its oldest
 * letter. A letter with effects that was not settled is worked on again, like any redelivery. A letter that was settled before its own
 * offset was committed is delivered again by Kafka, and `Mailbox.isSettled` passes it.
 *
 * An operator may stop the replay or discard the letter at any moment. The transaction of the effects locks the row of K first
 * (`applyReplayed`), so either the operator waits for the effects, or the effects are left out (`withdrawn`).
 *
 * If you change this file:
 * - `leave` comes last. It lets the next live message begin, so `mailbox.parked` and the settled offsets must be up to date before.
 * - A question that failed is asked again while the place is held. The lost answer may have been "released". A slot that gave up here
 *   would go on parking messages of a released key, and no replay would come for them.
 * - `#active` keeps one place per key. Without it each poll would add another place, twice a second, and their number would only grow.
 * - A place has no sequence number. It leaves the chain (`leave`); only messages of the log are finished in the frontier.
 * The simulation's mutants `release-before-followers`, `replay-out-of-order`, `replay-not-held` and `replay-beside-live` break these rules.
 */

/** Replays parked keys and releases them. `SlotEngine` calls it for each step of a place; operators' requests are found by polling. */
export class KeyReplays {
  readonly #store: DeadLetterStore | undefined;
  readonly #ports: EnginePorts;
  readonly #limits: SlotLimits;
  readonly #outages: SlotOutages;
  readonly #hooks: ReplayHooks;
  /** Keys with a place in a mailbox, or with one that waits for its pace. */
  readonly #active = new WeakMap<Mailbox<MessageEntry>, Set<string>>();
  #polling = false;

  constructor(limits: SlotLimits, ports: EnginePorts, outages: SlotOutages, hooks: ReplayHooks) {
    this.#store = ports.deadLetters;
    this.#ports = ports;
    this.#limits = limits;
    this.#outages = outages;
    this.#hooks = hooks;
  }

  /** A key was parked, or a partition with parked keys was opened: from now on the store is polled for replays. */
  watch(): void {
    if (this.#polling || this.#store === undefined) return;
    this.#polling = true;
    this.#ports.timers.after(POLL_MS, () => this.#poll(this.#store as DeadLetterStore));
  }

  /** The place is the first of its key now. */
  begin(entry: MessageEntry, attempt = 1): void {
    const { mailbox, key } = entry;
    this.#ask(mailbox, (store) => store.next(mailbox.owned(key)), {
      answered: (step) => {
        if (step.kind !== 'letter') return this.#stepped(entry, step);
        const { letter, act } = step;
        const record = { ...letter, key: letter.keyBytes, headers: { ...letter.headers } };
        entry.load(new PackedBatch(packBatch([record]).buffer), act, letter.log ?? 0);
        this.#hooks.work(entry);
      },
      failed: () => this.#retry(entry, attempt, () => this.begin(entry, attempt + 1)),
    });
  }

  /** Effects and outputs of a replayed message are durable. */
  done(entry: MessageEntry, attempt = 1): void {
    const { mailbox, key } = entry;
    this.#ask(mailbox, (store) => store.settle(mailbox.owned(key), entry), {
      answered: (step) => {
        this.#ports.observe.replayed?.(false);
        this.#stepped(entry, step);
      },
      failed: () => this.#retry(entry, attempt, () => this.done(entry, attempt + 1)),
    });
  }

  /** The message was taken out of its replay, or discarded, before it had an effect. */
  withdrawn(entry: MessageEntry): void {
    this.#end(entry);
  }

  /** The replayed message is out of retries: the key stays parked, with this message as its oldest letter. */
  failed(entry: MessageEntry, error: unknown, attempt = 1): void {
    const { mailbox, key } = entry;
    const parking = parkingFor(entry, error);
    // What fails in a replay was handed out by an act.
    const act = typeof entry.replay === 'object' ? entry.replay.act : -1;
    this.#ask(mailbox, (store) => store.fail(mailbox.owned(key), parking, act), {
      answered: (step) => {
        if (step === 'fenced') return this.#hooks.fence(mailbox.partition);
        if (step === 'parked') {
          mailbox.parked.set(entry.key, parking);
          this.#ports.onParked(entry);
          this.#ports.observe.replayed?.(true);
        }
        this.#end(entry);
      },
      failed: () => this.#retry(entry, attempt, () => this.failed(entry, error, attempt + 1)),
    });
  }

  #poll(store: DeadLetterStore): void {
    const mailboxes = [...this.#hooks.mailboxes()].filter(({ state, parked }) => state === 'open' && parked.size > 0);
    this.#polling = false;
    if (mailboxes.length === 0) return;
    this.#polling = true;
    store
      .due(mailboxes.map(({ partition }) => partition))
      .then(
        (keys) => {
          for (const { partition, key } of keys) {
            const mailbox = mailboxes.find((candidate) => candidate.partition === partition);
            if (mailbox !== undefined) this.#start(mailbox, key);
          }
        },
        // No message waits for this answer, so it doesn't count as an outage. The next poll asks again.
        () => {},
      )
      .then(() => {
        this.#polling = false;
        this.watch();
      });
  }

  #start(mailbox: Mailbox<MessageEntry>, key: string): void {
    const active = this.#active.get(mailbox) ?? new Set();
    this.#active.set(mailbox, active);
    if (active.has(key)) return;
    active.add(key);
    this.#proceed(mailbox, key);
  }

  #proceed(mailbox: Mailbox<MessageEntry>, key: string): void {
    const giveUp = () => this.#active.get(mailbox)?.delete(key);
    this.#ask(mailbox, (store) => store.pace(mailbox.owned(key)), {
      answered: (waitMs) =>
        this.#ports.timers.after(waitMs, () => {
          if (mailbox.state === 'open') this.#hooks.enqueue(MessageEntry.placeFor(mailbox, key));
          else giveUp();
        }),
      failed: giveUp,
    });
  }

  #stepped(entry: MessageEntry, step: ReplayStep): void {
    const { mailbox, key } = entry;
    switch (step.kind) {
      case 'fenced':
        this.#hooks.fence(mailbox.partition);
        return;
      case 'more':
        settle(mailbox, key, step);
        this.#hooks.leave(entry);
        this.#proceed(mailbox, key);
        return;
      case 'released':
        mailbox.parked.delete(key);
        settle(mailbox, key, step);
        this.#end(entry);
        return;
      default:
        this.#end(entry);
    }
  }

  #end(entry: MessageEntry): void {
    this.#active.get(entry.mailbox)?.delete(entry.key);
    this.#hooks.leave(entry);
  }

  /** One question to the store. Answers to a mailbox that was closed meanwhile are dropped with it. */
  #ask<T>(
    mailbox: Mailbox<MessageEntry>,
    question: (store: DeadLetterStore) => Promise<T>,
    then: { answered(answer: T): void; failed(): void },
  ): void {
    if (this.#store === undefined || mailbox.state === 'closed') return;
    question(this.#store).then(
      (answer) => {
        if (mailbox.state === 'closed') return;
        this.#outages.recovered('database');
        then.answered(answer);
      },
      (error) => {
        if (mailbox.state === 'closed') return;
        this.#outages.failed('database', error);
        then.failed();
      },
    );
  }

  /** Repeats `act` until it succeeds, or until the partition is given up: then its next owner works on the message again. */
  #retry(entry: MessageEntry, attempt: number, act: () => void): void {
    const { outageBackoffMs, outageBackoffMsMax } = this.#limits;
    if (entry.mailbox.state !== 'open') {
      this.#end(entry);
      return;
    }
    this.#ports.timers.after(exponentialDelayMs(attempt, outageBackoffMs, outageBackoffMsMax), act);
  }
}

function settle(
  mailbox: Mailbox<MessageEntry>,
  key: string,
  { settledOffset, settledElsewhere }: { settledOffset: number } & SettledElsewhere,
): void {
  if (settledOffset >= 0) mailbox.settle(key, settledOffset);
  if (settledElsewhere !== undefined) mailbox.settleElsewhere(key, settledElsewhere);
}
