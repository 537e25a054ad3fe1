import { exponentialDelayMs } from '../contracts/backoff.ts';
import { KafkaUnavailableError, reasonOf } from '../kafka/index.ts';
import { sqlFault } from '../store/index.ts';
import { OutageError } from './actor.ts';

/** What is at fault: the message, a system that is down, or neither (two transactions met; try again at once). */
export type Fault = 'message' | 'outage' | 'conflict';

/**
 * Error codes of the network, of TLS and of the clients, about the connection to a system or its credentials: from libuv, OpenSSL, the
 * `postgres` driver and undici (`fetch`). EMFILE and similar codes mean that this process lacks resources.
 */
const systemCodes =
  /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|EPROTO|E?TIMED_?OUT|E(HOST|NET)(UNREACH|DOWN)|ENETRESET|EADDRNOTAVAIL|ENOTFOUND|EAI_[A-Z]+|ENOBUFS|E[MN]FILE|CONNECTION_(CLOSED|ENDED|DESTROYED)|CONNECT_TIMEOUT|SASL_SIGNATURE_MISMATCH|UND_ERR_(CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|SOCKET|CLOSED|DESTROYED)|ERR_(TLS|SSL)_[A-Z_]+|ERR_STREAM_PREMATURE_CLOSE|ERR_OSSL_[A-Z0-9_]+|CERT_[A-Z_]+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_[A-Z_]+|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED)$/;

const CAUSES_MAX = 8;

/**
 * Looks through `cause`, so an actor may wrap an error to say what it was doing. An unknown error counts as the message's fault: the
 * message is tried alone, then parked.
 */
export function faultOf(error: unknown): Fault {
  for (const current of chainOf(error)) {
    const fault = ownFault(current);
    if (fault !== undefined) return fault;
  }
  return 'message';
}

/**
 * Whether an outage may concern only some messages: the server answered and refused a statement, but not because of its values (a lock, a
 * damaged page, a standby). The other messages of the turn are tried without it.
 */
export function strikesSome(error: unknown): boolean {
  for (const current of chainOf(error)) {
    if (sqlFaultOf(current) === 'statement') return true;
    if (ownFault(current) !== undefined) return false;
  }
  return false;
}

function ownFault(error: Error): Fault | undefined {
  if (error instanceof OutageError || error instanceof KafkaUnavailableError) return 'outage';
  // What `AbortSignal.timeout` throws.
  if (error.name === 'TimeoutError') return 'outage';
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && systemCodes.test(code)) return 'outage';
  if (error instanceof AggregateError && error.errors.some((inner) => faultOf(inner) === 'outage')) return 'outage';
  const fault = sqlFaultOf(error);
  return fault === 'server' || fault === 'statement' ? 'outage' : fault;
}

function sqlFaultOf(error: Error) {
  const { code, routine } = error as { code?: unknown; routine?: unknown };
  return typeof code === 'string' ? sqlFault(code, routine) : undefined;
}

function* chainOf(error: unknown): Generator<Error> {
  let current = error;
  for (let depth = 0; current instanceof Error && depth < CAUSES_MAX; depth++) {
    yield current;
    current = current.cause;
  }
}

/** An error with its code and its cause on one line, for operators. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  let text = '';
  for (const current of chainOf(error)) {
    if (text === '') text = describeOne(current);
    else if (!text.includes(current.message)) text += `, caused by ${describeOne(current)}`;
  }
  return text;
}

function describeOne(error: Error): string {
  const { code } = error as { code?: unknown };
  // The message of an AggregateError says what was tried; the errors in it say why that failed.
  const inner = error instanceof AggregateError && error.errors.length > 0 ? ` (${reasonOf(error)})` : '';
  return `${error.name}${typeof code === 'string' ? ` ${code}` : ''}: ${error.message}${inner}`;
}

export interface CircuitPolicy {
  /** This many failures in a row, with no success in between, open the circuit: one slow answer of a provider is no outage. */
  failuresToOpen: number;
  backoffMs: number;
  backoffMsMax: number;
}

/**
 * A circuit breaker for one system that the messages need. Closed: everything may pass. After failures in a row it opens until its back-off
 * is over. Then one probe may pass, and its result decides.
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

  /** The reason and the beginning of the outage (milliseconds since 1970); undefined while closed. */
  get outage(): { since: number; reason: string } | undefined {
    return this.#outage;
  }

  /** Whether work may begin now. If the circuit is open, the caller that gets true is the probe. */
  tryPass(now: number): boolean {
    if (!this.passable(now)) return false;
    this.#probing = this.#outage !== undefined;
    return true;
  }

  /** Whether `tryPass` would return true. */
  passable(now: number): boolean {
    return this.#outage === undefined || (!this.#probing && this.waitMs(now) === 0);
  }

  /** The rest of the back-off. */
  waitMs(now: number): number {
    const left = this.#retryAt - now;
    // More than the whole back-off: the clock was set back meanwhile.
    return this.#outage === undefined || left > this.#policy.backoffMsMax ? 0 : Math.max(0, left);
  }

  /**
   * Reports a failure. While the circuit is open, failures of work that began before it opened count as one.
   * @returns the wait until the work may be tried again
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

  /** The probe ended without a result for the circuit (its message was poison, or was dropped): another probe may pass. */
  release(): void {
    this.#probing = false;
  }

  succeed(): void {
    this.#failures = 0;
    this.#probing = false;
    this.#outage = undefined;
  }
}
