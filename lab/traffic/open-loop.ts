// Sends generated orders at a rate. Used by commands that load a gateway, by the chaos run and by the ticket benchmark.

import type { GeneratedOrder, Traffic } from './generator.ts';
import { pause, type Sender } from './sender.ts';

export interface OpenLoopOptions {
  traffic: Traffic;
  sender: Sender;
  /** Orders a second on average; arrivals are a Poisson process. */
  ratePerSecond: number;
  /** Stops after this many orders; absent: goes on until the signal. */
  count?: number;
  signal: AbortSignal;
  onOrder?(order: GeneratedOrder): void;
}

/**
 * Sends orders at the time they are due, whether or not earlier ones were answered: a slow gateway gets no less load, and its latency
 * counts from when an order was due.
 * @returns how many orders were sent.
 */
export async function runOpenLoop(options: OpenLoopOptions): Promise<number> {
  const { traffic, sender, ratePerSecond, count = Number.POSITIVE_INFINITY, signal } = options;
  let dueAt = performance.now();
  let sent = 0;
  while (sent < count && !signal.aborted) {
    const aheadMs = dueAt - performance.now();
    if (aheadMs > 1) await pause(aheadMs, signal);
    if (signal.aborted) break;
    const order = traffic.order(Date.now());
    options.onOrder?.(order);
    await sender.submit({ body: order.body, storeId: order.storeId, orderId: order.orderId }, dueAt);
    sent++;
    dueAt += traffic.wait(ratePerSecond);
  }
  return sent;
}
