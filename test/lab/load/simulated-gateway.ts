// A gateway with a known capacity in virtual time: one queue, orders at even distances, and stalls. Used by knee.test.ts.

import type { RateFigures } from '../../../lab/load/knee.ts';
import { createRandom } from '../../../lab/traffic/random.ts';

const WARM_UP_SHARE = 0.2;
const STALL_S = 0.4;

export interface SimulatedGateway {
  nowMs(): number;
  measure(rate: number, seconds: number): Promise<RateFigures>;
}

/** @param stallShare the share of steps that a stall of the machine meets */
export function simulatedGateway(seed: number, capacity: number, stallShare: number): SimulatedGateway {
  const random = createRandom(seed);
  let nowS = 0;
  return {
    nowMs: () => nowS * 1_000,
    async measure(rate, seconds) {
      const from = seconds * WARM_UP_SHARE;
      const stallAt = random.chance(stallShare) ? random.next() * seconds : Number.POSITIVE_INFINITY;
      let stalled = false;
      let freeAt = 0;
      let offered = 0;
      let accepted = 0;
      const latencies: number[] = [];
      for (let at = 0; at < seconds; at += 1 / rate) {
        // Work takes between half and one and a half times the mean.
        freeAt = Math.max(freeAt, at) + (0.5 + random.next()) / capacity;
        if (!stalled && freeAt > stallAt) {
          freeAt += STALL_S;
          stalled = true;
        }
        if (freeAt >= from && freeAt < seconds) accepted++;
        if (at < from) continue;
        offered++;
        latencies.push((freeAt - at) * 1_000);
      }
      // The caller waits until everything is answered.
      nowS += Math.max(seconds, freeAt);
      latencies.sort((a, b) => a - b);
      const measuredS = seconds - from;
      return {
        offeredPerSecond: offered / measuredS,
        acceptedPerSecond: accepted / measuredS,
        latency: { p99Ms: latencies[Math.ceil(latencies.length * 0.99) - 1] ?? 0 },
      };
    },
  };
}
