// Repeats the reads of screens whose tickets could not be read. Created by ticket-board.ts.

import { Backoff } from '../contracts/backoff.ts';
import type { Clock } from '../contracts/clock.ts';
import type { StateLog } from '../telemetry/state-log.ts';
import type { Standstill } from './pipeline-watch.ts';
import type { Screen } from './screens.ts';

const BACKOFF = { firstMs: 500, mostMs: 5_000, jitter: 0.5 };

export interface UnreadScreensOptions {
  states: StateLog;
  clock: Clock;
  /** Reads the tickets of a screen again. Ends in `settled` or `failed`, or in neither while the database is down. */
  retry(screen: Screen): void;
}

interface Unread {
  since: number;
  backoff: Backoff;
  reason: string;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Screens whose tickets could not be read although the database answers: a damaged page, a read that takes too long. Each of these reads is repeated with
 * back-off; the other screens are not affected.
 */
export class UnreadScreens {
  readonly #options: UnreadScreensOptions;
  readonly #all = new Map<Screen, Unread>();

  constructor(options: UnreadScreensOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Since when the screen is not up to date, in milliseconds since 1970; `undefined` while the screen is up to date. */
  since(screen: Screen): number | undefined {
    return this.#all.get(screen)?.since;
  }

  /** The screen that has waited longest, for operators. */
  get standstill(): Standstill | undefined {
    for (const [screen, { since, reason }] of this.#all)
      return { since, reason: `${this.#all.size} such screens, the first is ${nameOf(screen)}: ${reason}` };
    return undefined;
  }

  failed(screen: Screen, { message }: Error): void {
    if (screen.closed) return;
    const unread = this.#all.get(screen) ?? {
      since: this.#options.clock.now(),
      backoff: new Backoff(BACKOFF),
      reason: '',
      timer: undefined,
    };
    unread.reason = message;
    clearTimeout(unread.timer);
    unread.timer = setTimeout(() => this.#options.retry(screen), unread.backoff.next());
    this.#all.set(screen, unread);
    this.#options.states.begin('unread', 'the tickets of a screen cannot be read; the screen says so, trying again', {
      screen: nameOf(screen),
      error: message,
    });
  }

  /** The tickets of the screen have been read, or the screen is closed. */
  settled(screen: Screen): void {
    clearTimeout(this.#all.get(screen)?.timer);
    if (!this.#all.delete(screen) || this.#all.size > 0) return;
    this.#options.states.end('unread', 'the tickets of every screen can be read again');
  }

  close(): void {
    for (const { timer } of this.#all.values()) clearTimeout(timer);
    this.#all.clear();
  }
}

function nameOf({ storeId }: Screen): string {
  return storeId ?? 'the page of the whole chain';
}
