import { KafkaUnavailableError } from '../kafka/errors.ts';
import { OutageError } from './actor.ts';
import { exponentialDelayMs } from './retry.ts';

/** Whose fault an error is: the message's, a system's that is down, or nobody's (two transactions met; try again at once). */
export type Fault = 'message' | 'outage' | 'conflict';

/**
 * SQLSTATE classes and codes that speak of the server, not of the message (PostgreSQL manual, appendix A). Credentials (28), a missing
 * database (3D) and a schema that doesn't fit the statements (42) are among them: a deployment gone wrong must not park good orders.
 */
const outageStates = /^(08...|28...|3D...|42...|53...|57P0.|58...)$/;
/** serialization_failure and deadlock_detected. */
const conflictStates = new Set(['40001', '40P01']);
/** A promoted or demoted server and a session that the server ended: read_only_sql_transaction, idle_in_transaction_session_timeout. */
const serverStates = new Set(['25006', '25P03', '25P04']);
const networkCodes =
  /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|CONNECTION_(CLOSED|ENDED|DESTROYED)|CONNECT_TIMEOUT)$/;

const CAUSES_MAX = 8;

/** Looks through `cause`, so an actor may wrap an error with what it was doing. */
export function faultOf(error: unknown): Fault {
  let current: unknown = error;
  for (let depth = 0; current instanceof Error && depth < CAUSES_MAX; depth++) {
    if (current instanceof OutageError || current instanceof KafkaUnavailableError) return 'outage';
    const code = (current as { code?: unknown }).code;
    if (typeof code === 'string') {
      if (conflictStates.has(code)) return 'conflict';
      if (outageStates.test(code) || serverStates.has(code) || networkCodes.test(code)) return 'outage';
    }
    if (current instanceof AggregateError && current.errors.some((inner) => faultOf(inner) === 'outage'))
      return 'outage';
    current = current.cause;
  }
  return 'message';
}

export function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

export interface CircuitPolicy {
  /** So many failures in a row, with no success between them, open the circuit: one slow answer of a provider is no outage. */
  failuresToOpen: number;
  backoffMs: number;
  backoffMsMax: number;
}

/**
 * A circuit breaker for one thing that the messages need. Closed: all may pass. After failures in a row it is open until its back-off is
 * over; then one probe may pass, and what becomes of the probe decides.
 */
export class Circuit {
  readonly #policy: CircuitPolicy;
  #failures = 0;
  #retryAt = 0;
  #probing = false;
  #outage: { since: number; reason: string } | undefined;

  constructor(policy: CircuitPolicy) {
    this.#policy = policy;
  }

  /** What is wrong and since when (milliseconds since the epoch); undefined while closed. */
  get outage(): { since: number; reason: string } | undefined {
    return this.#outage;
  }

  /** Whether work may begin now. Passing an open circuit makes the caller its probe. */
  tryPass(now: number): boolean {
    if (!this.passable(now)) return false;
    this.#probing = this.#outage !== undefined;
    return true;
  }

  /** Whether `tryPass` would say yes. */
  passable(now: number): boolean {
    return this.#outage === undefined || (!this.#probing && this.waitMs(now) === 0);
  }

  /** What is left of the back-off, in milliseconds. */
  waitMs(now: number): number {
    const left = this.#retryAt - now;
    // More than was ever set: the clock was put back meanwhile.
    return this.#outage === undefined || left > this.#policy.backoffMsMax ? 0 : Math.max(0, left);
  }

  /**
   * Reports a failure; returns the wait until what failed may be tried again. While the circuit is open, failures of work that
   * began before count as one.
   */
  fail(now: number, reason: string): number {
    this.#probing = false;
    const { failuresToOpen, backoffMs, backoffMsMax } = this.#policy;
    const left = this.waitMs(now);
    if (left > 0) return left;
    this.#failures++;
    const round = Math.max(1, this.#failures - failuresToOpen + 1);
    const delayMs = exponentialDelayMs(round, backoffMs, backoffMsMax);
    if (this.#failures < failuresToOpen) return delayMs;
    this.#outage = { since: this.#outage?.since ?? now, reason };
    this.#retryAt = now + delayMs;
    return delayMs;
  }

  /** The probe ended without a word on the outage (its message was poison, or was dropped): another may try. */
  release(): void {
    this.#probing = false;
  }

  succeed(): void {
    this.#failures = 0;
    this.#probing = false;
    this.#outage = undefined;
  }
}
