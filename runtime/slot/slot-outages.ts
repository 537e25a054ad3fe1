import { exponentialDelayMs } from '../../contracts/backoff.ts';
import { Circuit, describeError } from '../outage.ts';
import { type Dependency, dependencies, type SlotLimits } from '../wire/slot-protocol.ts';
import type { EnginePorts } from './engine-ports.ts';
import { HeldMessages } from './held-messages.ts';
import type { MessageEntry } from './message-entry.ts';

/** A third party is called once a message and now and then fails to answer one call; a turn or an append stands for many messages. */
const failuresToOpen: Readonly<Record<Dependency, number>> = { prepare: 5, database: 1, broker: 1 };
/** A message that has waited for so long is named, by its key, in log and readiness. */
const HELD_MS = 5_000;

/** What a slot's circuits need of its scheduler. */
export interface OutageHooks {
  /** Whether no message is in flight, so that nothing would probe. */
  idle(): boolean;
  /** There may be something to begin again. */
  wake(): void;
}

/** Which message met an outage. */
export interface Met {
  entry: MessageEntry;
  /** When its attempt began; milliseconds since 1970. */
  beganAt?: number;
  /** Other messages came through in the same attempt. */
  alone?: boolean;
}

/** The circuits of one slot, one for each thing that its messages need. Says to the main thread when one opens and closes. */
export class SlotOutages {
  readonly circuits: Readonly<Record<Dependency, Circuit>>;
  readonly #ports: Pick<EnginePorts, 'timers' | 'report'>;
  readonly #hooks: OutageHooks;
  /** Messages that wait long. */
  readonly held: HeldMessages;
  readonly #limits: SlotLimits;
  /** How often messages came through. */
  readonly #successes: Record<Dependency, number> = { prepare: 0, database: 0, broker: 0 };
  /** Reported outages that only one message has met so far. */
  readonly #lone = new Set<Dependency>();
  /** Which messages have failed since one last came through: none of them, one, or `several`. */
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
   * What a message needs is down. As long as only one message has met the outage, or others come through, it opens no circuit and pauses
   * nothing: the message waits by itself, and the next one finds out. Otherwise one message could stop all others for ever.
   * @param met the message, where it was one and not a whole turn of them
   * @returns the wait in milliseconds until what failed may be tried again.
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
      // One that others have come through beside is known to wait alone; it is no outage again whenever the slot is quiet.
      if (waiting.witnessed === 0 && waiting.attempts >= failuresToOpen[dependency]) {
        this.#lone.add(dependency);
        this.#ports.report({ kind: 'outage', dependency, reason, since: waiting.since, lone: true });
      }
      const { outageBackoffMs, outageBackoffMsMax } = this.#limits;
      const ownWaitMs = exponentialDelayMs(waiting.attempts, outageBackoffMs, outageBackoffMsMax);
      // Its partition may be given up meanwhile: then nothing else sees the outage end.
      this.#wakeAfter(ownWaitMs, circuit);
      return ownWaitMs;
    }
    const waitMs = circuit.fail(this.#ports.timers.now(), reason);
    if (circuit.outage !== undefined)
      this.#ports.report({ kind: 'outage', dependency, ...circuit.outage, lone: false });
    this.#wakeAfter(waitMs, circuit);
    return waitMs;
  }

  /** Counts the failure of a message, and says whether others came through since its last one. */
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
    // After the clock was set back, the time that the message has waited is unknown. It is shown at once rather than up to an hour too late.
    if (now - since >= HELD_MS || now < since) this.held.note(entry, since, reason);
    return isAlone;
  }

  /** The message came through what it waited for; without a dependency, it waits for nothing any more. */
  through(entry: MessageEntry, dependency?: Dependency): void {
    if (dependency !== undefined && entry.waiting !== undefined && entry.waiting.dependency !== dependency) return;
    entry.waiting = undefined;
    this.held.clear(entry);
  }

  /**
   * Nothing else wakes a slot whose partitions are paused, so the timer must not be the last word when it comes a moment too early: the
   * clock of timers and that of `now` are not the same, and the one may be up to a millisecond ahead of the other.
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

  /** Whether something that messages need is down. */
  get any(): boolean {
    const { prepare, database, broker } = this.circuits;
    return (
      this.#lone.size > 0 ||
      prepare.outage !== undefined ||
      database.outage !== undefined ||
      broker.outage !== undefined
    );
  }

  /** With nothing left that could probe, an outage would never be seen to end: whoever comes next finds out. */
  forgetWhenIdle(): void {
    if (!this.#hooks.idle()) return;
    for (const dependency of dependencies) this.recovered(dependency);
  }
}
