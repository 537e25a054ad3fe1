import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../contracts/limits.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Spool, SpooledOrder } from './spool.ts';

export interface ForwarderOptions {
  spool: Spool;
  /** Base URL of the region's gateway. */
  upstream: string;
  /** Read before every batch, so that a rotated token is noticed. */
  token(): Promise<string>;
  backoffMs: { first: number; max: number };
  logger: Logger;
}

interface BatchResult {
  index: number;
  status: number;
  problem?: { code: string; detail: string };
}

/** An answer that the same bytes would get again; anything else is an outage and is repeated for as long as it takes. */
const finalStatuses = new Set([202, 400, 403, 409, 413, 422]);

/** A region that takes longer for a batch is as good as away: the batch is sent again. */
const ANSWER_MS_MAX = 30_000;

/**
 * Sends what is spooled to the region in batches, oldest first, one batch under way. An order leaves the unsent part of the spool only
 * when the region has answered for it for good.
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #wake: (() => void) | undefined;
  #failing = false;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** `undefined` while the region answers. */
  get outage(): string | undefined {
    return this.#failing ? `${this.#options.upstream} does not answer; orders wait in the spool` : undefined;
  }

  /** New orders are in the spool. */
  wake(): void {
    this.#wake?.();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { spool, logger, backoffMs } = this.#options;
    let waitMs = backoffMs.first;
    while (!this.#stop.signal.aborted) {
      const orders = spool.unsent(limits.batchOrdersMax);
      if (orders.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      try {
        await this.#forward(withinBytes(orders));
        if (this.#failing) logger.info('the region answers again');
        this.#failing = false;
        waitMs = backoffMs.first;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (!this.#failing) logger.warn({ err: error }, 'the region does not take orders; they wait in the spool');
        this.#failing = true;
        // Full jitter, so that the agents of a chain don't come back as one wave.
        await sleep(waitMs * Math.random(), undefined, { signal: this.#stop.signal }).catch(() => {});
        waitMs = Math.min(backoffMs.max, waitMs * 2);
      }
    }
  }

  /** @throws when the region did not answer for at least one of the orders. */
  async #forward(orders: SpooledOrder[]): Promise<void> {
    const { spool, upstream, token } = this.#options;
    const response = await fetch(new URL('/v1/orders/batch', upstream), {
      method: 'POST',
      headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/x-ndjson' },
      body: ndjson(orders),
      signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ANSWER_MS_MAX)]),
    });
    if (response.status !== 207) throw new Error(`the region answered ${response.status}`);
    const { results } = (await response.json()) as { results: BatchResult[] };
    const settled = results.filter(({ status }) => finalStatuses.has(status));
    spool.settle(
      settled.flatMap(({ index, status, problem }) => {
        const order = orders[index];
        if (order === undefined) return [];
        const { sequence } = order;
        return status === 202 ? [{ sequence }] : [{ sequence, problem: `${problem?.code}: ${problem?.detail}` }];
      }),
      Date.now(),
    );
    if (settled.length === 0) throw new Error(`the region answered for none of ${orders.length} orders`);
  }
}

/** One order a line. JSON from a client may be spread over lines; a line break never stands inside a JSON string, so a space is as good. */
function ndjson(orders: SpooledOrder[]): Buffer {
  return Buffer.concat(orders.flatMap(({ value }) => [onOneLine(Buffer.from(value)), newline]));
}

function onOneLine(bytes: Buffer): Buffer {
  if (!bytes.includes(LINE_FEED) && !bytes.includes(CARRIAGE_RETURN)) return bytes;
  return bytes.map((byte) => (byte === LINE_FEED || byte === CARRIAGE_RETURN ? SPACE : byte)) as Buffer;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const newline = Buffer.from('\n');

function withinBytes(orders: SpooledOrder[]): SpooledOrder[] {
  let bytes = 0;
  const end = orders.findIndex(({ value }) => {
    bytes += value.length + 1;
    return bytes > limits.batchBytesMax;
  });
  return end < 0 ? orders : orders.slice(0, Math.max(1, end));
}
