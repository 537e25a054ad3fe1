import { stage } from '../../../telemetry/stages/stage.ts';
import { type Actor, OutageError, UnexplainedError } from '../../actor.ts';
import { ObservedTime } from '../../observed-time.ts';
import { faultOf } from '../../outage.ts';
import type { EnginePorts } from '../engine-ports.ts';
import type { Mailbox } from '../mailbox.ts';
import type { MessageEntry } from '../message-entry.ts';
import { RetriedFirst } from '../ready-queue.ts';
import type { SlotOutages } from '../slot-outages.ts';
import { AdaptiveLimit } from './adaptive-limit.ts';

/** What `Preparation` tells the engine about a message whose preparation has ended. */
export interface PreparationHooks {
  prepared(entry: MessageEntry): void;
  failed(entry: MessageEntry, error: unknown): void;
  /** What `prepare` needs is down: the engine tries the message again after `waitMs`. */
  postponed(entry: MessageEntry, waitMs: number): void;
  /** Another message may begin. */
  wake(): void;
}

/** `prepare` did not return in time. Whether it has had its effect is unknown, so it is called again, with the same idempotency key. */
export class PrepareTimeoutError extends OutageError {
  override name = 'PrepareTimeoutError';
}

/** How often the ages of calls are checked while a call is in flight. */
const SWEEP_MS = 1_000;
/** A call that takes longer is named in the readiness answer and the log, before its deadline. */
const SLOW_MS = 10_000;
/** After this many unexplained failures of one message, with successes of other messages in between, the message is at fault. */
const UNEXPLAINED_MAX = 10;
/**
 * While calls are only bounded, this many messages wait for one behind the ready queue, which goes on with messages that need none. While
 * the third party is down, as many wait as the mailboxes take.
 */
const WAITING_MAX = 1_000;

interface Attempt {
  entry: MessageEntry;
  /** Milliseconds since 1970. */
  beganAt: number;
  /** The same instant in observed time, in which its deadline is measured. */
  began: number;
  /** On the stage clock. */
  calledAt: number;
}

/**
 * Runs `prepare` of the actor: as many calls at a time as the third party answers well, each for a bounded time, behind a circuit breaker.
 * Messages that find no room wait here, if the actor can tell which messages need no call.
 */
export class Preparation {
  readonly #prepare: NonNullable<Actor<unknown, unknown>['prepare']> | undefined;
  readonly #atOnce: NonNullable<Actor<unknown, unknown>['prepareAtOnce']> | undefined;
  readonly #prepareMsMax: number;
  readonly #limit: AdaptiveLimit;
  #waiting = new RetriedFirst<MessageEntry>();
  readonly #ports: Pick<EnginePorts, 'timers' | 'stages'>;
  readonly #outages: SlotOutages;
  readonly #hooks: PreparationHooks;
  /** In the order in which they began. An attempt that was given up is removed, and its late answer is dropped. */
  readonly #inFlight = new Set<Attempt>();
  #sweepDue = false;
  /** Advances with each sweep. A new one starts when a message begins while no sweep is due, because the old one stood still meanwhile. */
  #observed: ObservedTime;

  constructor(
    actor: Actor<unknown, unknown>,
    limits: { preparesMax: number; prepareMsMax: number },
    ports: Pick<EnginePorts, 'timers' | 'stages'>,
    outages: SlotOutages,
    hooks: PreparationHooks,
  ) {
    this.#prepare = actor.prepare?.bind(actor);
    if (actor.prepare !== undefined) this.#atOnce = actor.prepareAtOnce?.bind(actor);
    this.#prepareMsMax = limits.prepareMsMax;
    this.#limit = new AdaptiveLimit(limits.preparesMax);
    this.#ports = ports;
    this.#outages = outages;
    this.#hooks = hooks;
    this.#observed = new ObservedTime(SWEEP_MS, ports.timers.now());
  }

  /** Messages whose `prepare` is in flight. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Whether the actor has a `prepare`. */
  get exists(): boolean {
    return this.#prepare !== undefined;
  }

  /** Most calls that may be in flight now. */
  get limit(): number {
    return this.#limit.current;
  }

  /** Messages that wait for room. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether another call may begin; always true for an actor without `prepare`. */
  mayBegin(): boolean {
    if (this.#prepare === undefined) return true;
    return (
      this.#inFlight.size < this.#limit.current && this.#outages.circuits.prepare.passable(this.#ports.timers.now())
    );
  }

  /** Whether the engine may look at the next ready message: a call may begin, or the message may wait or need no call. */
  mayLook(): boolean {
    if (this.mayBegin()) return true;
    if (this.#atOnce === undefined) return false;
    return this.#outages.circuits.prepare.outage !== undefined || this.#waiting.length < WAITING_MAX;
  }

  /** What `prepare` would return, for a message that needs no call; otherwise undefined. Throws what the actor throws. */
  atOnce(entry: MessageEntry): unknown {
    return this.#atOnce?.(entry.input, entry);
  }

  /** The message waits for room. The engine gets it back from `next`. */
  wait(entry: MessageEntry): void {
    entry.input = undefined;
    this.#push(entry);
  }

  /** The message that waits longest, if a call may begin. */
  next(): MessageEntry | undefined {
    return this.#waiting.length > 0 && this.mayBegin() ? this.#waiting.shift() : undefined;
  }

  /** Drops the messages of a partition that is closed. */
  forget(mailbox: Mailbox<MessageEntry>): void {
    const all = this.#waiting;
    this.#waiting = new RetriedFirst();
    for (let entry = all.shift(); entry !== undefined; entry = all.shift())
      if (entry.mailbox !== mailbox) this.#push(entry);
  }

  #push(entry: MessageEntry): void {
    this.#waiting.push(entry, entry.waiting !== undefined || entry.failure !== undefined);
  }

  begin(entry: MessageEntry): void {
    const now = this.#ports.timers.now();
    this.#outages.circuits.prepare.tryPass(now);
    if (this.#inFlight.size === 0 && !this.#sweepDue) this.#observed = new ObservedTime(SWEEP_MS, now);
    const { stages } = this.#ports;
    const attempt = { entry, beganAt: now, began: this.#observed.at(now), calledAt: stages.now() };
    this.#inFlight.add(attempt);
    this.#limit.began(this.#inFlight.size);
    this.#sweepLater();
    // Through a promise, so that a `prepare` that throws before it returns one is a failure like any other.
    Promise.resolve()
      .then(() => {
        // Many calls begin in one event-loop callback, and only the first one looks at the clock here.
        stages.at(stage.prepare);
        return this.#prepare?.(entry.input, entry);
      })
      .then(
        (prepared) => {
          if (!this.#inFlight.delete(attempt)) return;
          this.#ended(attempt, false);
          const before = stages.enter(stage.schedule);
          stages.waited(stage.prepare, stages.now() - attempt.calledAt);
          stages.passed(stage.prepare, 1);
          this.#outages.recovered('prepare');
          this.#outages.through(entry, 'prepare');
          entry.prepared = prepared;
          this.#hooks.prepared(entry);
          this.#hooks.wake();
          stages.leave(before);
        },
        (error) => this.#failed(attempt, error),
      );
  }

  #failed(attempt: Attempt, error: unknown): void {
    if (!this.#inFlight.delete(attempt)) return;
    const { entry, beganAt, calledAt } = attempt;
    const { stages } = this.#ports;
    stages.waited(stage.prepare, stages.now() - calledAt);
    const isMessages = faultOf(error) === 'message';
    this.#ended(attempt, !isMessages);
    if (isMessages) {
      this.#outages.circuits.prepare.release();
      this.#hooks.failed(entry, error);
    } else {
      const waitMs = this.#outages.failed('prepare', error, { entry, beganAt });
      const isAlone = error instanceof UnexplainedError && (entry.waiting?.witnessed ?? 0) >= UNEXPLAINED_MAX;
      if (isAlone) this.#hooks.failed(entry, error);
      else this.#hooks.postponed(entry, waitMs);
    }
    this.#hooks.wake();
  }

  #ended({ beganAt }: Attempt, isOutage: boolean): void {
    const now = this.#ports.timers.now();
    this.#limit.ended(now, beganAt, isOutage);
  }

  #sweepLater(): void {
    if (this.#sweepDue) return;
    this.#sweepDue = true;
    this.#ports.timers.after(SWEEP_MS, () => {
      this.#sweepDue = false;
      this.#sweep();
      if (this.#inFlight.size > 0) this.#sweepLater();
    });
  }

  #sweep(): void {
    const now = this.#ports.timers.now();
    this.#observed.look(now);
    const observed = this.#observed.at(now);
    const prepareMsMax = this.#prepareMsMax;
    for (const attempt of this.#inFlight) {
      const { entry, beganAt, began } = attempt;
      const ageMs = observed - began;
      if (ageMs >= prepareMsMax)
        this.#failed(attempt, new PrepareTimeoutError(`prepare() has not returned within ${prepareMsMax / 1_000} s`));
      else if (ageMs >= SLOW_MS)
        this.#outages.held.note(entry, beganAt, `prepare() has not returned for more than ${SLOW_MS / 1_000} s`);
      else return;
    }
  }
}
