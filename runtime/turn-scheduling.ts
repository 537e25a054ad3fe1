import type { MessageEntry } from './message-entry.ts';
import { ReadyQueue } from './ready-queue.ts';
import type { SlotLimits } from './slot-protocol.ts';
import type { Timers } from './timers.ts';

/** So many applicable messages are a backlog: another turn begins beside those under way. */
const BACKLOG_MESSAGES = 200;
/** Longest time that messages gather behind the beginning of a turn. */
const GATHER_MS_MAX = 15;

/** The messages of one slot that wait for a turn, and when the next turn begins. */
export class TurnScheduler {
  readonly #waiting = new ReadyQueue<MessageEntry>();
  readonly #limits: SlotLimits;
  readonly #timers: Timers;
  readonly #wake: () => void;
  #turns = 0;
  #lastTurnAt = Number.NEGATIVE_INFINITY;
  #gathering = false;

  /** @param wake is called when messages have gathered for long enough. */
  constructor(limits: SlotLimits, timers: Timers, wake: () => void) {
    this.#limits = limits;
    this.#timers = timers;
    this.#wake = wake;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  push(entry: MessageEntry): void {
    this.#waiting.push(entry);
  }

  /**
   * Behind a turn the next one gathers, whether or not that turn is still under way: a transaction and what follows it cost about the same
   * for one message as for many. A message that comes after a quiet moment has its turn at once, and so has a backlog.
   */
  mayBegin(): boolean {
    const waiting = this.#waiting.length;
    if (waiting === 0 || this.#turns >= this.#limits.turnsMax) return false;
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
   * The messages of the next turn; none when those that waited are of closed partitions. A message that has failed before gets a turn of
   * its own, so that it can't make the others' transaction fail again.
   */
  form(): MessageEntry[] {
    const turn: MessageEntry[] = [];
    while (turn.length < this.#limits.turnSizeMax) {
      const entry = this.#waiting.shift();
      if (entry === undefined) break;
      if (entry.mailbox.state === 'closed') continue;
      if (entry.failure === undefined) turn.push(entry);
      else if (turn.length === 0) return [entry];
      else {
        this.#waiting.push(entry);
        break;
      }
    }
    return turn;
  }

  /** @returns when the turn began, in milliseconds since the epoch. */
  begun(): number {
    this.#turns++;
    this.#lastTurnAt = this.#timers.now();
    return this.#lastTurnAt;
  }

  ended(): void {
    this.#turns--;
  }
}
