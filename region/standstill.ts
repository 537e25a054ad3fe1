// Notices that MirrorMaker runs and copies nothing. Used by mirror-role.ts.

import { type Clock, systemClock } from '../contracts/clock.ts';

/** One look at a mirror. */
export interface Look {
  /** Records of the source that were not copied yet. */
  lag: number;
  /** Grows with every record that is copied. */
  position: number;
}

/** A mirror stands when records wait and none was copied for this long. MirrorMaker writes its progress once a second, on a busy machine some seconds later. */
const STANDS_MS = 30_000;
/** The same for a MirrorMaker that has just been started: Java starts slowly on a busy machine. */
const START_MS = 60_000;
/** Each start that copies nothing doubles the time for the next start, so that a slow MirrorMaker gets through its start. */
const START_MS_MAX = 600_000;

/**
 * Judges whether a MirrorMaker copies. When its process is stopped (SIGSTOP), or a task in a live process has failed, nothing ends and nothing is
 * logged: the only sign is that records wait and none is copied.
 */
export class Standstill {
  readonly #clock: Clock;
  #position = 0;
  /** Position at the start of this MirrorMaker; an earlier MirrorMaker copied the records below. */
  #startedFrom = 0;
  /** The position has been read up to `#startedFrom`, so that every later record is one of this MirrorMaker. */
  #isFollowed = false;
  #since: number;
  #startMs = START_MS;
  #patienceMs = START_MS;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** Since when records wait and none was copied, in milliseconds since 1970. */
  get since(): number {
    return this.#since;
  }

  /** MirrorMaker has been started, and goes on from this position. */
  started(position: number): void {
    this.#startedFrom = position;
    this.#isFollowed = false;
    this.#since = this.#clock.now();
    this.#patienceMs = this.#startMs;
    this.#startMs = Math.min(START_MS_MAX, this.#startMs * 2);
  }

  /** Source or target cannot be read, so it is not known whether records wait. */
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
