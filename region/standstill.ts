import { type Clock, systemClock } from '../contracts/clock.ts';

/** One look at a mirror. */
export interface Look {
  /** Records of the source that were not copied yet. */
  lag: number;
  /** Grows with every record that is copied. */
  position: number;
}

/** Without a copied record for this long, while records wait, it stands: it says how far it is once a second. A busy machine may take some seconds. */
const STANDS_MS = 30_000;
/** The same for one that has just been started: Java takes long on a busy machine. */
const START_MS = 60_000;
/** Each start that copies nothing doubles the time for the next one, so that a slow one comes through. */
const START_MS_MAX = 600_000;

/**
 * Judges whether a MirrorMaker copies. One that is stopped, or whose task has failed in a process that lives, ends nothing and says nothing: it shows
 * only in records that wait while none is copied.
 */
export class Standstill {
  readonly #clock: Clock;
  #position = 0;
  /** Where the mirror was when it was started; what is below that was copied before. */
  #startedFrom = 0;
  #isFollowed = false;
  #since: number;
  #startMs = START_MS;
  #patienceMs = START_MS;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** Since when records wait and none was copied, in milliseconds since the epoch. */
  get since(): number {
    return this.#since;
  }

  /** MirrorMaker has been started, and goes on from there. */
  started(position: number): void {
    this.#startedFrom = position;
    this.#isFollowed = false;
    this.#since = this.#clock.now();
    this.#patienceMs = this.#startMs;
    this.#startMs = Math.min(START_MS_MAX, this.#startMs * 2);
  }

  /** Source or target cannot be looked at: then nothing can be said about what is between them. */
  blind(): void {
    this.#since = this.#clock.now();
  }

  look({ lag, position }: Look): 'copied' | 'waits' | 'stands' {
    const hasCopied = this.#isFollowed && position !== this.#position;
    this.#isFollowed ||= position >= this.#startedFrom;
    this.#position = position;
    if (hasCopied) {
      this.#startMs = START_MS;
      this.#patienceMs = STANDS_MS;
    }
    if (hasCopied || lag === 0) this.#since = this.#clock.now();
    if (hasCopied) return 'copied';
    return this.#clock.now() - this.#since >= this.#patienceMs ? 'stands' : 'waits';
  }
}
