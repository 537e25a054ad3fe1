// Sends the orders of the spool to the region. Created by edge.ts.

import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { Backoff } from '../../contracts/backoff.ts';
import { pause } from '../../contracts/deadline.ts';
import { limits } from '../../contracts/limits.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { SpoolClient } from '../spool/client.ts';
import type { SpooledBatch } from '../spool/order.ts';
import { NotAnAnswerError, problemOf, readBatchAnswer, refusalOf, TokenRefusedError } from './batch-answer.ts';
import { type HeldOrder, HeldOrders } from './held-orders.ts';
import { type LineCounts, LineState, type LineTrouble, type LineView } from './line-state.ts';
import { Bandwidth } from './pacing.ts';
import { expiryOf } from './token-expiry.ts';
import { NoAnswerError, Upstream } from './upstream.ts';

export interface ForwarderOptions {
  spool: Pick<SpoolClient, 'batch' | 'settle' | 'reached'>;
  /** Base URL of the region's gateway. */
  upstream: string;
  /** Read before every batch, so that a rotated token is noticed. */
  token(): Promise<string>;
  /** Region that answered last, as the spool remembers it. */
  region: string | undefined;
  ordersMax: number;
  gzip: boolean;
  bandwidthMax: number | undefined;
  answerMsMax: number;
  backoffMsMax: number;
  probeMs: number;
  /** The region has refused an order for good, and the refusal is on the disk. */
  onRefused?(orderId: string, problem: string): void;
  logger: Logger;
  random?: () => number;
}

/** Batches in flight while every batch succeeds: the region works on one while the next is read and packed. */
const BATCHES_MAX = 2;
const BACKOFF = { firstMs: 250, jitter: 0.5 };
/** After a failure the next batch is smaller by this factor, until an order that is at fault is alone in its batch. */
const SHRINK = 8;
/** Smaller bodies fit into one or two packets without compression. */
const GZIP_BYTES_MIN = 1_024;

const pack = promisify(gzip);

/**
 * Sends what is spooled to the region: urgent orders first, each lane in order of acceptance; orders that another region has confirmed come last. An
 * order leaves the unsent part of the spool only when the region has answered for it by its orderId, and that answer is on the disk.
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #upstream: Upstream;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #bandwidth: Bandwidth;
  readonly #held = new HeldOrders(() => performance.now());
  readonly #line: LineState;
  /** Where each lane was read up to, so that batches in flight at the same time hold different orders. */
  #after = new Map<number, number>();
  #ordersMax: number;
  #failure: { retryAfterS: number } | undefined;
  #wake: (() => void) | undefined;
  #awake = false;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#ordersMax = options.ordersMax;
    this.#upstream = new Upstream(options.upstream, options.answerMsMax, this.#stop.signal);
    this.#backoff = new Backoff({ ...BACKOFF, mostMs: options.backoffMsMax, random: this.#random });
    this.#bandwidth = new Bandwidth(options.bandwidthMax, () => performance.now());
    this.#line = new LineState(options.upstream, options.region, options.logger);
    this.#running = this.#run();
  }

  get counts(): Readonly<LineCounts> {
    return this.#line.counts;
  }

  get line(): LineView {
    return this.#line.view;
  }

  /** Orders that are held back, because they fail while others get through. */
  get held(): HeldOrder[] {
    return this.#held.list();
  }

  /** New orders are in the spool. */
  wake(): void {
    this.#awake = true;
    this.#wake?.();
  }

  /** Aborts the requests in flight; their orders are sent again after the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#running;
    this.#upstream.drop();
  }

  async #run(): Promise<void> {
    const inFlight = new Set<Promise<void>>();
    while (!this.#stop.signal.aborted) {
      this.#awake = false;
      const batch = await this.#next();
      if (batch === undefined) {
        if (inFlight.size > 0) await Promise.race(inFlight);
        else await this.#rest();
      } else {
        const sending = this.#send(batch).finally(() => inFlight.delete(sending));
        inFlight.add(sending);
        const most = this.#backoff.attempts > 0 ? 1 : BATCHES_MAX;
        if (inFlight.size >= most) await Promise.race(inFlight);
      }
      if (this.#failure === undefined) continue;
      await Promise.all(inFlight);
      await this.#recover(this.#failure.retryAfterS);
    }
    await Promise.all(inFlight);
  }

  async #next(): Promise<SpooledBatch | undefined> {
    const due = this.#held.due();
    try {
      const batch = await this.#options.spool.batch({
        ordersMax: this.#ordersMax,
        bytesMax: this.#bandwidth.batchBytesMax(limits.batchBytesMax),
        after: [...this.#after],
        except: this.#held.except(),
        only: due,
        region: this.#line.view.region ?? undefined,
      });
      for (const [index, lane] of batch.lanes.entries()) this.#after.set(lane, batch.sequences[index] ?? 0);
      if (batch.sequences.length > 0) return batch;
      if (due === undefined) return undefined;
      // An operator has settled or discarded the order.
      this.#held.passed([due]);
      return await this.#next();
    } catch (error) {
      this.#failure = { retryAfterS: 0 };
      this.#line.trouble('down', `the spool cannot be read: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** Nothing is to be sent: waits for new orders, and asks now and then which region is reached. */
  async #rest(): Promise<void> {
    // An operator may have put older orders back among the unsent ones.
    this.#after.clear();
    if (this.#awake || this.#failure !== undefined) return;
    const { promise: woken, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const waiting = new AbortController();
    // Random, so that agents of a chain that were started together do not probe at the same time.
    const waitMs = this.#options.probeMs * (0.75 + this.#random() / 2);
    await Promise.race([woken, pause(waitMs, waiting.signal)]);
    waiting.abort();
    this.#wake = undefined;
    if (!this.#awake && !this.#stop.signal.aborted) await this.#check();
  }

  /** @returns whether the region answers */
  async #probe(): Promise<boolean> {
    try {
      const { status, headers } = await this.#upstream.request({ method: 'HEAD', path: '/openapi.json' });
      const region = headers['x-ordermesh-region'];
      if (status !== 200 || typeof region !== 'string') throw new NotAnAnswerError(`${status} is no gateway's answer`);
      await this.#reached(region);
      this.#line.up();
      return true;
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#trouble(error);
      return false;
    }
  }

  /**
   * The same with the token, while nothing is to be sent: sends an empty batch, which a gateway refuses as empty after it has accepted the token. So
   * the agent notices an expired token before the next order.
   */
  async #check(): Promise<void> {
    let token = '';
    try {
      token = await this.#token();
      const answer = await this.#upstream.request({
        method: 'POST',
        path: '/v1/orders/batch',
        headers: headersOf(token),
      });
      const region = answer.headers['x-ordermesh-region'];
      const isGateway = typeof region === 'string' && problemOf(answer.body)?.startsWith('malformed-body:') === true;
      if (!isGateway) throw refusalOf(answer);
      await this.#reached(region);
      this.#line.up();
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#trouble(error, token);
    }
  }

  async #send(batch: SpooledBatch): Promise<void> {
    const { spool, gzip } = this.#options;
    let token = '';
    try {
      const packed = gzip && batch.body.length >= GZIP_BYTES_MIN;
      const body = packed ? await pack(batch.body, { level: constants.Z_BEST_SPEED }) : batch.body;
      const waitMs = this.#bandwidth.take(body.length);
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.#stop.signal });
      token = await this.#token();
      const answer = await this.#upstream.request({
        method: 'POST',
        path: '/v1/orders/batch',
        headers: {
          ...headersOf(token),
          ...(packed ? { 'content-encoding': 'gzip' } : {}),
        },
        body,
      });
      const { region, settlements, notAllowed = [], deferred, retryAfterS } = readBatchAnswer(answer, batch);
      // Before all else, so that a replay that follows from this answer survives a power loss.
      await this.#reached(region);
      await spool.settle(settlements);
      this.#line.sent(body.length, settlements);
      for (const { sequence, problem } of settlements)
        if (problem !== undefined)
          this.#options.onRefused?.(batch.orderIds[batch.sequences.indexOf(sequence)] ?? '', problem);
      const [first] = notAllowed;
      // Other orders may get through with this token: an order that is held back because of the token says nothing about the line.
      const isTriedAlone = first !== undefined && batch.sequences.length === 1 && this.#held.has(first.sequence);
      if (settlements.length === 0 && !isTriedAlone) {
        if (first !== undefined) throw new TokenRefusedError(first.reason, retryAfterS, { isOfRegion: true });
        throw new NotAnAnswerError('the region takes no orders now', retryAfterS, { isOfRegion: true });
      }
      if (!isTriedAlone) this.#passed(batch);
      for (const { sequence, orderId, reason } of notAllowed) this.#held.hold(sequence, orderId, reason);
      if (deferred > notAllowed.length) this.#failure = { retryAfterS };
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      await this.#blame(batch, error);
      this.#failure = { retryAfterS: error instanceof NotAnAnswerError ? error.retryAfterS : 0 };
      this.#trouble(error, token);
    }
  }

  #passed(batch: SpooledBatch): void {
    this.#line.up();
    this.#held.passed(batch.sequences);
    this.#ordersMax = Math.min(this.#options.ordersMax, this.#ordersMax * 2);
    this.#backoff.reset();
  }

  /**
   * An order in the batch may have caused the failure: so the next batch is smaller, and an order that fails alone while the line is up is held
   * back. A request that did not reach the region says nothing about its orders.
   */
  async #blame(batch: SpooledBatch, error: unknown): Promise<void> {
    const blamesOrders =
      error instanceof NotAnAnswerError ? error.blamesOrders : error instanceof NoAnswerError && error.reached;
    if (!blamesOrders) return;
    const [sequence, ...more] = batch.sequences;
    const [orderId] = batch.orderIds;
    if (more.length > 0) this.#ordersMax = Math.max(1, Math.floor(batch.sequences.length / SHRINK));
    else if (sequence !== undefined && orderId !== undefined && (await this.#probe()))
      this.#held.failed(sequence, orderId, reasonOf(error));
  }

  /** A missing token is reported like a refused one: the line works, and an operator has to act. */
  async #token(): Promise<string> {
    try {
      return await this.#options.token();
    } catch (error) {
      throw new TokenRefusedError(`there is no token to send: ${reasonOf(error)}`);
    }
  }

  async #reached(region: string): Promise<void> {
    if (region === this.#line.view.region) return;
    await this.#options.spool.reached(region);
    this.#line.reached(region);
  }

  #trouble(error: unknown, token = ''): void {
    const expiredAt = error instanceof TokenRefusedError ? expiryOf(token) : undefined;
    const isExpired = expiredAt !== undefined && expiredAt <= Date.now();
    this.#line.trouble(
      troubleOf(error),
      isExpired ? `expired at ${new Date(expiredAt).toISOString()}` : reasonOf(error),
    );
  }

  async #recover(retryAfterS: number): Promise<void> {
    this.#failure = undefined;
    this.#after.clear();
    // The next request resolves the region's name again, on a new connection.
    this.#upstream.drop();
    await pause(this.#backoff.next(retryAfterS * 1_000), this.#stop.signal);
  }
}

function headersOf(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' };
}

function troubleOf(error: unknown): LineTrouble {
  if (error instanceof TokenRefusedError) return 'token-refused';
  return error instanceof NotAnAnswerError && error.isOfRegion ? 'region-refuses' : 'down';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
