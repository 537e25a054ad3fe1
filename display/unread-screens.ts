import type { Clock } from '../contracts/clock.ts';
import type { StateLog } from '../telemetry/state-log.ts';
import type { Standstill } from './pipeline-watch.ts';
import type { Screen } from './screens.ts';

const BACKOFF_MS = 500;
const BACKOFF_MS_MAX = 5_000;

export interface UnreadScreensOptions {
  states: StateLog;
  clock: Clock;
  /** Reads the tickets of a screen again. Ends in `settled` or `failed`, or in neither while the database is down. */
  retry(screen: Screen): void;
}

interface Unread {
  since: number;
  attempts: number;
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

  /** Since when the screen is not up to date, in milliseconds since the epoch; `undefined` while the screen is up to date. */
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
      attempts: 0,
      reason: '',
      timer: undefined,
    };
    unread.reason = message;
    const ceiling = Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** unread.attempts++);
    clearTimeout(unread.timer);
    unread.timer = setTimeout(() => this.#options.retry(screen), ceiling * (0.5 + Math.random() / 2));
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
