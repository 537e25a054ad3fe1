import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { HotKey } from '../slot/hot-keys.ts';
import type { Parking } from '../slot/mailbox.ts';

/** What a slot's thread says of itself; plain data. */
export interface SlotView {
  /** Share of its life that the event loop was busy, since the last look. */
  eventLoopUtilization: number;
  /** Seconds of CPU since the thread started. */
  cpuSeconds: { user: number; system: number };
  heapUsedBytes: number;
  hottestKeys: HotKey[];
  parkedKeys: ParkedKeyView[];
}

export interface ParkedKeyView {
  partition: number;
  key: string;
  reason: string;
  error: string;
  attempts: number;
  firstOffset: number;
  firstFailedAt: string;
}

/** Enough for a person; the rest is counted, and `dlt list` has them all. */
const PARKED_SHOWN_MAX = 100;
const HOTTEST_SHOWN_MAX = 10;

export interface SlotInsight {
  hottest(keys: number): HotKey[];
  parked(): Iterable<[partition: number, key: string, parking: Parking]>;
}

/** Takes the views of the thread it is called in. */
export function createSlotView({ hottest, parked }: SlotInsight): () => SlotView {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return {
      eventLoopUtilization: utilization,
      cpuSeconds: threadCpuSeconds(),
      heapUsedBytes: getHeapStatistics().used_heap_size,
      hottestKeys: hottest(HOTTEST_SHOWN_MAX),
      parkedKeys: firstParked(parked()),
    };
  };
}

/** CPU time of the calling thread alone. */
export function threadCpuSeconds(): { user: number; system: number } {
  const { user, system } = process.threadCpuUsage();
  return { user: user / 1e6, system: system / 1e6 };
}

function firstParked(parked: Iterable<[number, string, Parking]>): ParkedKeyView[] {
  const shown: ParkedKeyView[] = [];
  for (const [partition, key, { reason, error, attempts, firstOffset, firstFailedAt }] of parked) {
    if (shown.length === PARKED_SHOWN_MAX) break;
    const at = new Date(firstFailedAt).toISOString();
    shown.push({ partition, key, reason, error, attempts, firstOffset, firstFailedAt: at });
  }
  return shown;
}
