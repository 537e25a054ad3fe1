// Sends generated orders at a rate. Used by commands that load a gateway, by the chaos run and by the ticket benchmark.

import { setImmediate as turn } from 'node:timers/promises';
import type { GeneratedOrder, Traffic } from './generator.ts';
import { pause, type Sender } from './sender.ts';

/** A loop that is behind sends without a pause for at most this long; then the answers that have come are read. */
const BURST_MS = 2;

export interface OpenLoopOptions {
  traffic: Traffic;
  sender: Pick<Sender, 'submit' | 'isFull'>;
  /** Orders a second on average; arrivals are a Poisson process. */
  ratePerSecond: number;
  /** Stops after this many orders; absent: goes on until the signal, or the end of `durationMs`. */
  count?: number;
  /** When the first order is due, by `performance.now()`; now by default. */
  startAtMs?: number;
  /** Stops after this time, in milliseconds; orders that are due by then and not sent are left out. */
  durationMs?: number;
  signal: AbortSignal;
  onOrder?(order: GeneratedOrder): void;
  /** How late an order was sent, in milliseconds, where the loop itself was late and not the sender full. */
  onLate?(lateMs: number): void;
  /** The time of `durationMs` was up while the loop was this much behind, in milliseconds: what was due in it is not sent. */
  onCut?(behindMs: number): void;
}

/**
 * Sends orders at the time they are due, whether or not earlier ones were answered: a slow gateway gets no less load, and its latency
 * counts from when an order was due.
 * @returns how many orders were sent.
 */
export async function runOpenLoop(options: OpenLoopOptions): Promise<number> {
  const { traffic, sender, ratePerSecond, count = Number.POSITIVE_INFINITY, signal, onLate } = options;
  let dueAt = options.startAtMs ?? performance.now();
  const endsAt = dueAt + (options.durationMs ?? Number.POSITIVE_INFINITY);
  let sent = 0;
  let turnedAt = dueAt;
  let heldBySender = false;
  while (sent < count && !signal.aborted) {
    const now = performance.now();
    const aheadMs = dueAt - now;
    if (dueAt >= endsAt) break;
    if (now >= endsAt) {
      options.onCut?.(endsAt - dueAt);
      break;
    }
    if (aheadMs > 1) {
      await pause(aheadMs, signal);
      turnedAt = performance.now();
    } else if (now - turnedAt > BURST_MS) {
      await turn();
      turnedAt = performance.now();
    }
    if (signal.aborted) break;
    const order = traffic.order(Date.now());
    options.onOrder?.(order);
    const readyAt = performance.now();
    if (readyAt <= dueAt) heldBySender = false;
    if (!heldBySender) onLate?.(Math.max(0, readyAt - dueAt));
    const outgoing = { body: order.body, storeId: order.storeId, orderId: order.orderId };
    if (sender.isFull) {
      await sender.submit(outgoing, dueAt);
      // Until the loop has caught up, the next orders are late for the same reason.
      heldBySender = true;
      turnedAt = performance.now();
    } else await sender.submit(outgoing, dueAt);
    sent++;
    dueAt += traffic.wait(ratePerSecond);
  }
  if (Number.isFinite(endsAt)) await pause(Math.max(0, endsAt - performance.now()), signal);
  return sent;
}
