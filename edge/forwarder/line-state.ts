// The state of the line to the region, for log and status. Kept by forwarder.ts.

import type { Logger } from '../../telemetry/logger.ts';
import { StateLog } from '../../telemetry/state-log.ts';
import type { Settlement } from '../spool/order.ts';

/**
 * `down`: no gateway answers. `region-refuses`: a gateway answers and takes no orders (passive, overloaded, without its log).
 * `token-refused`: the region does not take the agent's token; an operator has to replace it.
 */
export type LineTrouble = 'down' | 'region-refuses' | 'token-refused';

/** The state of the line to the region, for people. Times are milliseconds since 1970. */
export interface LineView {
  upstream: string;
  state: 'unknown' | 'up' | LineTrouble;
  /** Since when. */
  since: number;
  /** Why it is not up. */
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

const begins: Record<LineTrouble, string> = {
  down: 'the region does not answer; orders wait in the spool',
  'region-refuses': 'the region takes no orders; they wait in the spool',
  'token-refused': 'the region refuses the token; orders wait in the spool until its file has another one',
};

/** Keeps the state of the line. Logs once when a trouble begins and once when orders get through again. */
export class LineState {
  readonly view: LineView;
  readonly counts: LineCounts = { batches: 0, failures: 0, bytes: 0, confirmed: 0, refused: 0 };
  readonly #logger: Logger;
  readonly #states: StateLog;

  constructor(upstream: string, region: string | undefined, logger: Logger) {
    this.#logger = logger;
    this.#states = new StateLog(logger);
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
    for (const trouble of Object.keys(begins) as LineTrouble[])
      this.#states.end(
        trouble,
        trouble === 'token-refused' ? 'the region takes the token again' : 'the region answers again',
      );
    this.#turn('up', null);
  }

  trouble(trouble: LineTrouble, reason: string): void {
    this.counts.failures++;
    // The state may alternate while the line is not up; each is logged once.
    this.#states.begin(trouble, begins[trouble], { reason });
    this.#turn(trouble, reason);
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
    counts.batches++;
    counts.bytes += bytes;
    for (const { problem } of settlements) {
      if (problem === undefined) counts.confirmed++;
      else counts.refused++;
    }
    if (settlements.length > 0) this.view.lastAnswerAt = Date.now();
  }

  #turn(state: 'up' | LineTrouble, reason: string | null): void {
    if (this.view.state !== state) this.view.since = Date.now();
    this.view.state = state;
    this.view.reason = reason;
  }
}
