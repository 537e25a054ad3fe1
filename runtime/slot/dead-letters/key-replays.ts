import { exponentialDelayMs } from '../../../contracts/backoff.ts';
import type { ReplayStep, SettledElsewhere } from '../../../store/index.ts';
import { PackedBatch, packBatch } from '../../wire/batch-codec.ts';
import type { SlotLimits } from '../../wire/slot-protocol.ts';
import type { DeadLetterStore, EnginePorts } from '../engine-ports.ts';
import type { Mailbox } from '../mailbox.ts';
import { MessageEntry } from '../message-entry.ts';
import type { SlotOutages } from '../slot-outages.ts';
import { parkingFor } from './dead-letter.ts';

/** The store is asked so often for keys to replay, while any key of the slot is parked, in milliseconds. */
const POLL_MS = 500;

/** What replays tell the scheduler. */
export interface ReplayHooks {
  mailboxes(): Iterable<Mailbox<MessageEntry>>;
  /** Puts the entry behind the messages of its key. */
  enqueue(entry: MessageEntry): void;
  /** Works on the entry's message, which has its key to itself. */
  work(entry: MessageEntry): void;
  /** The entry gives way to what is behind it. */
  leave(entry: MessageEntry): void;
  /** A newer epoch owns the partition. */
  fence(partition: number): void;
}

/**
 * Replays parked keys and releases them. A replayed message takes a place among the messages of its key, so it is as serial as they
 * are: what came before it is in the dead-letter topic by then, behind it; what came after it waits. One message a place, so the live messages
 * of the key never wait for the pace of a replay. The key is released while a place has it to itself and nothing of it is left parked.
 *
 * All state is in the store. After a crash at any point the next owner finds the key in its replay and its oldest parked message;
 * a message whose effects are there and that was not settled is worked on again, like any redelivery.
 */
export class KeyReplays {
  readonly #store: DeadLetterStore | undefined;
  readonly #ports: EnginePorts;
  readonly #limits: SlotLimits;
  readonly #outages: SlotOutages;
  readonly #hooks: ReplayHooks;
  /** Keys with a place in a mailbox, or waiting for their pace. */
  readonly #active = new WeakMap<Mailbox<MessageEntry>, Set<string>>();
  #polling = false;

  constructor(limits: SlotLimits, ports: EnginePorts, outages: SlotOutages, hooks: ReplayHooks) {
    this.#store = ports.deadLetters;
    this.#ports = ports;
    this.#limits = limits;
    this.#outages = outages;
    this.#hooks = hooks;
  }

  /** A key is parked, or a partition with parked keys was opened: from now on operators may want something. */
  watch(): void {
    if (this.#polling || this.#store === undefined) return;
    this.#polling = true;
    this.#ports.timers.after(POLL_MS, () => this.#poll(this.#store as DeadLetterStore));
  }

  /** The place of a replay has come up. */
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
      // Asked again while the place is held: the answer that was lost may have been that the key is released.
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

  /** The retries of a replayed message are over: its key stays parked, with it in front. */
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
        // Nothing waits for the answer, so it is no outage; the next poll asks again.
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

  /** For as long as it takes, unless the partition is given up: then its next owner works on the message again. */
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
