// When a turn begins, and with which messages. Used by the engine.

import type { Timers } from '../timers.ts';
import type { SlotLimits } from '../wire/slot-protocol.ts';
import type { MessageEntry } from './message-entry.ts';
import { ReadyQueue } from './ready-queue.ts';

/** This many applicable messages are a backlog: another turn begins beside those in flight. */
const BACKLOG_MESSAGES = 200;
/** Longest time that messages gather behind the beginning of a turn. */
const GATHER_MS_MAX = 15;

/** The messages of one slot that wait for a turn. Decides for `SlotEngine` when the next turn begins and which messages it has. */
export class TurnScheduler {
  readonly #waiting = new ReadyQueue<MessageEntry>();
  /** Messages that have failed before, or met an outage that other messages did not meet. */
  readonly #suspects = new ReadyQueue<MessageEntry>();
  readonly #limits: SlotLimits;
  readonly #timers: Timers;
  readonly #wake: () => void;
  #turns = 0;
  #messagesInTurns = 0;
  #lastTurnAt = Number.NEGATIVE_INFINITY;
  #gathering = false;
  /** The last turn was the turn of one suspect. */
  #lone = false;

  /** @param wake is called when messages have gathered for long enough. */
  constructor(limits: SlotLimits, timers: Timers, wake: () => void) {
    this.#limits = limits;
    this.#timers = timers;
    this.#wake = wake;
  }

  get waiting(): number {
    return this.#waiting.length + this.#suspects.length;
  }

  /** Messages of the turns in flight. */
  get messagesInTurns(): number {
    return this.#messagesInTurns;
  }

  push(entry: MessageEntry): void {
    const isSuspect = entry.failure !== undefined || entry.waiting !== undefined;
    (isSuspect ? this.#suspects : this.#waiting).push(entry);
  }

  /**
   * After a turn has begun, the messages for the next turn gather for a while, because a transaction costs about the same for one message
   * as for many. Three turns begin at once: that of a message after a quiet moment, that of a backlog, and that of a suspect, which gets
   * a turn of its own.
   */
  mayBegin(): boolean {
    if (this.#turns >= this.#limits.turnsMax) return false;
    return this.#suspects.length > 0 || this.#mayBeginTogether();
  }

  #mayBeginTogether(): boolean {
    const waiting = this.#waiting.length;
    if (waiting === 0) return false;
    if (waiting >= Math.min(BACKLOG_MESSAGES, this.#limits.turnSizeMax)) return true;
    const gatherMs = this.#lastTurnAt + GATHER_MS_MAX - this.#timers.now();
    if (gatherMs <= 0) return true;
    if (!this.#gathering) {
      this.#gathering = true;
      this.#timers.after(gatherMs, () => {
        this.#gathering = false;
        this.#wake();
      });
    }
    return false;
  }

  /**
   * The messages of the next turn; empty when all that waited are of closed partitions. A suspect gets a turn of its own, so that it can't
   * make the transaction of other messages fail again. While there are suspects, the other messages have every second turn, if they are due.
   */
  form(): MessageEntry[] {
    const together = this.#suspects.length === 0 || (this.#lone && this.#mayBeginTogether());
    this.#lone = !together;
    const size = together ? this.#limits.turnSizeMax : 1;
    const queue = together ? this.#waiting : this.#suspects;
    const turn: MessageEntry[] = [];
    while (turn.length < size) {
      const entry = queue.shift();
      if (entry === undefined) break;
      if (entry.mailbox.state !== 'closed') turn.push(entry);
    }
    return turn;
  }

  /** @returns when the turn began, in milliseconds since 1970. */
  begun(messages: number): number {
    this.#turns++;
    this.#messagesInTurns += messages;
    const now = this.#timers.now();
    if (!this.#lone) this.#lastTurnAt = now;
    return now;
  }

  ended(messages: number): void {
    this.#turns--;
    this.#messagesInTurns -= messages;
  }
}
