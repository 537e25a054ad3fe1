// Measures the time from an order's 202 to its ticket. Called by perf/main.ts.

import { lastJson, program, runProgram } from '../child.ts';
import type { TicketLatency } from '../load/ticket-latency.ts';
import type { Figures } from '../report.ts';
import { figure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const RATE = 500;
/** One store's page gets a small part of the orders: it takes longer until a 99th percentile means something. */
const SECONDS_FACTOR = 4;

/** From 202 to the ticket on the kitchen display, every role running, at 500 orders a second. */
export async function benchTicketLatency(
  { env, seconds }: Bench,
  addresses: { gateway: string; display: string },
): Promise<Figures> {
  const args = [
    '--gateway',
    addresses.gateway,
    '--display',
    addresses.display,
    '--rate',
    String(RATE),
    '--seconds',
    String(seconds * SECONDS_FACTOR),
  ];
  const { feed, page } = lastJson<TicketLatency>(
    await runProgram(program('perf/load/ticket-latency.ts'), args, { env }),
  );
  const expected = RATE * seconds * SECONDS_FACTOR;
  if (feed.tickets < expected * 0.8)
    throw new Error(`only ${feed.tickets} of ${expected} orders became tickets in time`);
  const { p50, p99, tickets } = page ?? feed;
  const where =
    page === null
      ? "in the display's feed (no Chromium here)"
      : `drawn by Chromium (${page.outOfView} beyond the visible columns)`;
  return {
    ticket_latency_p99_ms: figure(
      [p99],
      'ms',
      `202 to ticket ${where} at ${RATE} orders/s, every role on this machine; ${tickets} tickets, p50 ${p50} ms; feed p50 ${feed.p50}, p99 ${feed.p99} ms of ${feed.tickets}`,
    ),
  };
}
