import type { EnginePorts } from './engine-ports.ts';
import { Circuit, describeError } from './outage.ts';
import { type Dependency, dependencies, type SlotLimits } from './slot-protocol.ts';

/** A third party is called once a message and now and then fails to answer one call; a turn or an append stands for many messages. */
const PREPARE_FAILURES_TO_OPEN = 5;

/** What a slot's circuits need of its scheduler. */
export interface OutageHooks {
  /** Whether no message is under way, so that nothing would probe. */
  idle(): boolean;
  /** There may be something to begin again. */
  wake(): void;
}

/** The circuits of one slot, one for each thing that its messages need. Says to the main thread when one opens and closes. */
export class SlotOutages {
  readonly circuits: Readonly<Record<Dependency, Circuit>>;
  readonly #ports: Pick<EnginePorts, 'timers' | 'report'>;
  readonly #hooks: OutageHooks;

  constructor(limits: SlotLimits, ports: Pick<EnginePorts, 'timers' | 'report'>, hooks: OutageHooks) {
    this.#ports = ports;
    this.#hooks = hooks;
    const policy = { backoffMs: limits.outageBackoffMs, backoffMsMax: limits.outageBackoffMsMax };
    this.circuits = {
      prepare: new Circuit({ ...policy, failuresToOpen: PREPARE_FAILURES_TO_OPEN }),
      database: new Circuit({ ...policy, failuresToOpen: 1 }),
      broker: new Circuit({ ...policy, failuresToOpen: 1 }),
    };
  }

  /** @returns the wait in milliseconds until what failed may be tried again. */
  failed(dependency: Dependency, error: unknown): number {
    const circuit = this.circuits[dependency];
    const waitMs = circuit.fail(this.#ports.timers.now(), describeError(error));
    if (circuit.outage !== undefined) this.#ports.report({ kind: 'outage', dependency, ...circuit.outage });
    this.#wakeAfter(waitMs, circuit);
    return waitMs;
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
    const wasOpen = circuit.outage !== undefined;
    circuit.succeed();
    if (!wasOpen) return;
    this.#ports.report({ kind: 'recovered', dependency });
    this.#hooks.wake();
  }

  /** Whether something that messages need is down. */
  get any(): boolean {
    const { prepare, database, broker } = this.circuits;
    return prepare.outage !== undefined || database.outage !== undefined || broker.outage !== undefined;
  }

  /** With nothing left that could probe, an outage would never be seen to end: whoever comes next finds out. */
  forgetWhenIdle(): void {
    if (!this.#hooks.idle()) return;
    for (const dependency of dependencies) this.recovered(dependency);
  }
}
