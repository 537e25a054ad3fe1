// Prints what became of the orders that were sent. Used by `load`, `smoke` and `orders send`.

import type { SendReport } from '../../lab/traffic/index.ts';
import { milliseconds, print } from '../output.ts';

export function printSendReport({ sent, accepted, refused, retried, unanswered, latency }: SendReport): void {
  const refusals = Object.entries(refused).map(([status, count]) => `${count} refused with ${status}`);
  const others = [...refusals, ...(unanswered > 0 ? [`${unanswered} without an answer`] : [])];
  print(`${sent} sent, ${[`${accepted} accepted`, ...others].join(', ')}${retried > 0 ? `; ${retried} retries` : ''}`);
  print(
    `answered in p50 ${milliseconds(latency.p50Ms)}, p99 ${milliseconds(latency.p99Ms)}, most ${milliseconds(latency.maxMs)}`,
  );
}
