import type { Logger } from '../../telemetry/logger.ts';
import type { Settlement } from '../spool/order.ts';

/** The line to the region as people see it. Times are milliseconds since the epoch. */
export interface LineView {
  upstream: string;
  state: 'unknown' | 'up' | 'down';
  /** Since when. */
  since: number;
  /** Why it is down. */
  reason: string | null;
  /** Region that answered last. */
  region: string | null;
  /** When the region last took or refused an order. */
  lastAnswerAt: number | null;
}

/** What was sent since the agent started. */
export interface LineCounts {
  batches: number;
  failures: number;
  bytes: number;
  confirmed: number;
  refused: number;
}

/** Remembers how the line is, and says so in the log when that changes, and only then. */
export class LineState {
  readonly view: LineView;
  readonly counts: LineCounts = { batches: 0, failures: 0, bytes: 0, confirmed: 0, refused: 0 };
  readonly #logger: Logger;

  constructor(upstream: string, region: string | undefined, logger: Logger) {
    this.#logger = logger;
    const { origin } = new URL(upstream);
    this.view = {
      upstream: origin,
      state: 'unknown',
      since: Date.now(),
      reason: null,
      region: region ?? null,
      lastAnswerAt: null,
    };
  }

  up(): void {
    if (this.view.state === 'down') this.#logger.info('the region answers again');
    this.#turn('up', null);
  }

  down(reason: string): void {
    this.counts.failures += 1;
    if (this.view.state !== 'down')
      this.#logger.warn({ reason }, 'the region does not take orders; they wait in the spool');
    this.#turn('down', reason);
  }

  reached(region: string): void {
    const before = this.view.region;
    this.view.region = region;
    if (before === null) this.#logger.info({ region }, 'reached a region for the first time');
    else
      this.#logger.warn({ region, before }, 'another region answers; what the one before has confirmed is sent again');
  }

  sent(bytes: number, settlements: readonly Settlement[]): void {
    const { counts } = this;
    counts.batches += 1;
    counts.bytes += bytes;
    for (const { problem } of settlements) {
      if (problem === undefined) counts.confirmed += 1;
      else counts.refused += 1;
    }
    if (settlements.length > 0) this.view.lastAnswerAt = Date.now();
  }

  #turn(state: 'up' | 'down', reason: string | null): void {
    if (this.view.state !== state) this.view.since = Date.now();
    this.view.state = state;
    this.view.reason = reason;
  }
}
