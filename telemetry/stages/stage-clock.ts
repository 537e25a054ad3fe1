// Measures what each stage of a message costs a thread. Every thread has one clock, `threadStages`; simulated threads have their own.

import { type Stage, type StageName, stageNames } from './stage.ts';

/** No stage: the event loop, sockets, the garbage collector between callbacks, and code that no stage claims. */
const OUTSIDE = -1;
/**
 * One message in this many is timed where each message has callbacks of its own (`begin`), and counts for all of them. A prime number, so
 * that of several kinds of callbacks that take turns none is always passed over.
 */
const SAMPLED = 11;

/** What one stage has cost a thread so far. */
export interface StageTotal {
  stage: StageName;
  /** Messages that have passed the stage; records for `encode` and `produce`. */
  messages: number;
  /** How many steps the messages passed it in: fetches, batches, turns, requests. */
  operations: number;
  /** Time that the thread was busy with it. */
  busySeconds: number;
  /** How many times something was waited for, and for how long in all. Waits overlap with each other and with busy time. */
  waits: number;
  waitSeconds: number;
}

export interface StageClockOptions {
  /** Monotonic milliseconds; `performance.now()` by default. */
  now?: () => number;
  /** Calls `end` when the event-loop callback at hand has run, with the promises that follow from it. */
  afterCallback?: (end: () => void) => void;
}

/**
 * Adds up the busy time of a thread by stage, and the waits. A thread is in one stage at a time, so busy times never overlap: a stage inside
 * of another one is not counted twice, and the sum over all stages is never more than the time that has passed.
 *
 * There are three ways to be in a stage:
 * - `enter` and `leave` around synchronous code;
 * - `at` in code that promises continue: until another stage begins, or the event-loop callback with all its promises has ended;
 * - `begin`, `to` and `end` in callbacks of single messages: like `enter` and `leave`, but for one message in eleven, which counts for all.
 *
 * Busy time is elapsed time of code that runs without a pause. It includes the moments in which the system runs another thread on this
 * core; stage-costs.ts takes them out again, by the thread's processor time. The clock is read when the stage changes, about 40 ns.
 */
export class StageClock {
  /** Off only to measure what the clock itself costs. */
  enabled = true;
  readonly #now: () => number;
  readonly #afterCallback: (end: () => void) => void;
  readonly #busyMs = new Float64Array(stageNames.length);
  readonly #messages = new Float64Array(stageNames.length);
  readonly #operations = new Float64Array(stageNames.length);
  readonly #waitMs = new Float64Array(stageNames.length);
  readonly #waits = new Float64Array(stageNames.length);
  #current: Stage = OUTSIDE;
  /** When the current stage was last charged. */
  #since = 0;
  /** `#close` is due. */
  #closing = false;
  #untilSample = SAMPLED;
  /** How many messages the time counts for. */
  #weight = 1;
  /** The stage around the sampled one. */
  #around: Stage = OUTSIDE;

  constructor({ now = () => performance.now(), afterCallback = afterPromises }: StageClockOptions = {}) {
    this.#now = now;
    this.#afterCallback = afterCallback;
  }

  /** For `waited`: milliseconds on this clock. */
  now(): number {
    return this.enabled ? this.#now() : 0;
  }

  /** The thread is in `stage` until `leave`. @returns what to give to `leave` */
  enter(stage: Stage): Stage {
    const before = this.#current;
    this.#become(stage);
    return before;
  }

  leave(before: Stage): void {
    this.#become(before);
  }

  /** From now on the thread is in `stage`. Costs nothing when it is there already. */
  at(stage: Stage): void {
    if (this.#current === stage) return;
    if (this.#current === OUTSIDE && !this.#closing && this.enabled) {
      this.#closing = true;
      this.#afterCallback(this.#close);
    }
    this.#become(stage);
  }

  /** As `enter`, for a sample of the messages. @returns whether this message is timed; if so, `end` must follow in the same callback. */
  begin(stage: Stage): boolean {
    this.#untilSample--;
    if (this.#untilSample > 0 || !this.enabled || this.#weight !== 1) return false;
    this.#untilSample = SAMPLED;
    this.#around = this.#current;
    this.#become(stage);
    this.#weight = SAMPLED;
    return true;
  }

  /** The next stage of a message that is timed. Does nothing for the others. */
  to(stage: Stage): void {
    if (this.#weight !== 1) this.#become(stage);
  }

  /** Ends what `begin` began. */
  end(): void {
    this.#become(this.#around);
    this.#weight = 1;
  }

  /** Messages have passed a stage, in one step. */
  passed(stage: Stage, messages: number): void {
    if (!this.enabled) return;
    this.#messages[stage] = (this.#messages[stage] as number) + messages;
    this.#operations[stage] = (this.#operations[stage] as number) + 1;
  }

  /** Something outside of this thread was waited for. The thread may have worked on other messages meanwhile. */
  waited(stage: Stage, elapsedMs: number): void {
    if (!this.enabled) return;
    this.#waitMs[stage] = (this.#waitMs[stage] as number) + elapsedMs;
    this.#waits[stage] = (this.#waits[stage] as number) + 1;
  }

  /** The stages that this thread has been in. */
  totals(): StageTotal[] {
    return stageNames
      .map((name, number) => ({
        stage: name,
        messages: this.#messages[number] as number,
        operations: this.#operations[number] as number,
        busySeconds: (this.#busyMs[number] as number) / 1_000,
        waits: this.#waits[number] as number,
        waitSeconds: (this.#waitMs[number] as number) / 1_000,
      }))
      .filter(({ messages, busySeconds, waits }) => messages > 0 || busySeconds > 0 || waits > 0);
  }

  #become(stage: Stage): void {
    const current = this.#current;
    if (stage === current || !this.enabled) return;
    const now = this.#now();
    if (current !== OUTSIDE)
      this.#busyMs[current] = (this.#busyMs[current] as number) + (now - this.#since) * this.#weight;
    this.#since = now;
    this.#current = stage;
  }

  readonly #close = (): void => {
    this.#closing = false;
    this.#become(OUTSIDE);
  };
}

const resolved = Promise.resolve();

/** The promises of a callback run before its next ticks that they add: a tick that is added by a promise runs after all of them. */
function afterPromises(end: () => void): void {
  resolved.then(() => process.nextTick(end));
}

/** The clock of the thread that imports this module. */
export const threadStages = new StageClock();

/** Milliseconds of a clock that all threads of the process share, as `performance.now()` has another zero in each thread. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
