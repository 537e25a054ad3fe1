// The circuit breakers of a slot. Every part of the engine reports failures and successes here.

import { exponentialDelayMs } from '../../contracts/backoff.ts';
import { Circuit, describeError } from '../outage.ts';
import { type Dependency, dependencies, type OutageStops, type SlotLimits } from '../wire/slot-protocol.ts';
import type { EnginePorts } from './engine-ports.ts';
import { HeldMessages } from './held-messages.ts';
import type { MessageEntry } from './message-entry.ts';

/**
 * `prepare` is called once per message, and a provider sometimes fails to answer a call, so several failures are needed. A turn or an
 * append stands for many messages.
 */
const failuresToOpen: Readonly<Record<Dependency, number>> = { prepare: 5, database: 1, broker: 1 };
/** A message that has waited this long is named, with its key, in log and readiness. */
const HELD_MS = 5_000;

/** What the circuits of a slot need from the engine. */
export interface OutageHooks {
  /** Whether no message is in flight, so that no probe will be made. */
  idle(): boolean;
  /** Whether the actor has messages that go on while `prepare` is down. */
  overtakesPrepare(): boolean;
  /** Messages may begin again. */
  wake(): void;
}

/** Which message met an outage. */
export interface Met {
  entry: MessageEntry;
  /** When its attempt began; milliseconds since 1970. */
  beganAt?: number;
  /** Other messages of the same attempt came through. */
  alone?: boolean;
}

/** The circuits of one slot, one for each system that its messages need. Reports to the main thread when a circuit opens and closes. */
export class SlotOutages {
  readonly circuits: Readonly<Record<Dependency, Circuit>>;
  readonly #ports: Pick<EnginePorts, 'timers' | 'report'>;
  readonly #hooks: OutageHooks;
  /** Messages that have waited long. */
  readonly held: HeldMessages;
  readonly #limits: SlotLimits;
  /** How many messages have come through. */
  readonly #successes: Record<Dependency, number> = { prepare: 0, database: 0, broker: 0 };
  /** Reported outages that only one message has met so far. */
  readonly #lone = new Set<Dependency>();
  /** Which messages have failed since the last success: none, one, or `several`. */
  readonly #witnesses: Record<Dependency, MessageEntry | 'several' | undefined> = {
    prepare: undefined,
    database: undefined,
    broker: undefined,
  };

  constructor(limits: SlotLimits, ports: Pick<EnginePorts, 'timers' | 'report'>, hooks: OutageHooks) {
    this.#ports = ports;
    this.#hooks = hooks;
    this.#limits = limits;
    this.held = new HeldMessages(ports);
    const policy = { backoffMs: limits.outageBackoffMs, backoffMsMax: limits.outageBackoffMsMax };
    this.circuits = {
      prepare: new Circuit({ ...policy, failuresToOpen: failuresToOpen.prepare }),
      database: new Circuit({ ...policy, failuresToOpen: failuresToOpen.database }),
      broker: new Circuit({ ...policy, failuresToOpen: failuresToOpen.broker }),
    };
  }

  /**
   * A message failed because something it needs is down. While only one message has met the outage, or other messages come through, no
   * circuit opens and no partition is paused: this message waits alone, and the next one shows whether it meets the outage too. Otherwise
   * one message could stop all others for ever.
   * @param met the message, if the failure concerns one message and not a whole turn
   * @returns the wait in milliseconds until the work may be tried again
   */
  failed(dependency: Dependency, error: unknown, met?: Met): number {
    const circuit = this.circuits[dependency];
    const reason = describeError(error);
    const isAlone = met !== undefined && this.#isAlone(dependency, reason, met);
    const known = this.#witnesses[dependency];
    const witness = met?.entry ?? 'several';
    if (!isAlone) this.#witnesses[dependency] = known === undefined || known === witness ? witness : 'several';
    const { waiting } = met?.entry ?? {};
    if (waiting !== undefined && (isAlone || this.#witnesses[dependency] !== 'several')) {
      circuit.release();
      // If other messages have come through meanwhile, this message is known to wait alone. It doesn't begin a new outage each time the
      // slot is quiet.
      if (waiting.witnessed === 0 && waiting.attempts >= failuresToOpen[dependency]) {
        this.#lone.add(dependency);
        this.#ports.report({ kind: 'outage', dependency, reason, since: waiting.since, stops: 'one' });
      }
      const { outageBackoffMs, outageBackoffMsMax } = this.#limits;
      const ownWaitMs = exponentialDelayMs(waiting.attempts, outageBackoffMs, outageBackoffMsMax);
      // The message's partition may be given up before its next try. Then this timer is the only one that sees the outage end.
      this.#wakeAfter(ownWaitMs, circuit);
      return ownWaitMs;
    }
    const waitMs = circuit.fail(this.#ports.timers.now(), reason);
    if (circuit.outage !== undefined)
      this.#ports.report({ kind: 'outage', dependency, ...circuit.outage, stops: this.#stops(dependency) });
    this.#wakeAfter(waitMs, circuit);
    return waitMs;
  }

  #stops(dependency: Dependency): OutageStops {
    return dependency === 'prepare' && this.#hooks.overtakesPrepare() ? 'some' : 'all';
  }

  /** Counts the failure of a message, and tells whether other messages have come through since its last failure. */
  #isAlone(dependency: Dependency, reason: string, { entry, beganAt, alone = false }: Met): boolean {
    const now = this.#ports.timers.now();
    const waiting = entry.waiting?.dependency === dependency ? entry.waiting : undefined;
    const successes = this.#successes[dependency];
    const isAlone = alone || (waiting !== undefined && successes > waiting.successes);
    const since = waiting?.since ?? beganAt ?? now;
    entry.waiting = {
      dependency,
      since,
      attempts: (waiting?.attempts ?? 0) + 1,
      successes,
      witnessed: (waiting?.witnessed ?? 0) + (isAlone ? 1 : 0),
    };
    // After the clock was set back it is unknown how long the message has waited. It is shown at once; otherwise it could be shown an hour
    // too late.
    if (now - since >= HELD_MS || now < since) this.held.note(entry, since, reason);
    return isAlone;
  }

  /** The message has come through `dependency`; without `dependency`, it waits for nothing any more. */
  through(entry: MessageEntry, dependency?: Dependency): void {
    if (dependency !== undefined && entry.waiting !== undefined && entry.waiting.dependency !== dependency) return;
    entry.waiting = undefined;
    this.held.clear(entry);
  }

  /**
   * A slot whose partitions are paused is woken by nothing but this timer. The timer's clock and `now` may differ by a millisecond, so a
   * timer that comes too early is set again.
   */
  #wakeAfter(waitMs: number, circuit: Circuit): void {
    const { timers } = this.#ports;
    timers.after(waitMs, () => {
      const leftMs = circuit.waitMs(timers.now());
      if (leftMs > 0) return this.#wakeAfter(leftMs, circuit);
      this.forgetWhenIdle();
      this.#hooks.wake();
    });
  }

  recovered(dependency: Dependency): void {
    const circuit = this.circuits[dependency];
    const wasOpen = this.#lone.delete(dependency) || circuit.outage !== undefined;
    circuit.succeed();
    this.#successes[dependency]++;
    this.#witnesses[dependency] = undefined;
    if (!wasOpen) return;
    this.#ports.report({ kind: 'recovered', dependency });
    this.#hooks.wake();
  }

  /** Whether a system that messages need is down. */
  get any(): boolean {
    const { prepare, database, broker } = this.circuits;
    return (
      this.#lone.size > 0 ||
      prepare.outage !== undefined ||
      database.outage !== undefined ||
      broker.outage !== undefined
    );
  }

  /**
   * With no message in flight, no success would ever show that an outage is over. So outages are forgotten; the next message shows whether
   * they last.
   */
  forgetWhenIdle(): void {
    if (!this.#hooks.idle()) return;
    for (const dependency of dependencies) this.recovered(dependency);
  }
}
