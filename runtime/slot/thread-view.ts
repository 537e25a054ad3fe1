// Makes the view of a slot's thread for `GET /debug/runtime`.

import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Parking } from '../../store/index.ts';
import { ownStages } from '../../telemetry/stages/stage-metrics.ts';
import type { HotKey, MessageCounts, ParkedKeyView, SlotView } from '../wire/slot-view.ts';

/** More parked keys are only counted; `ordermesh dlt list` shows all. */
const PARKED_SHOWN_MAX = 100;
const HOTTEST_SHOWN_MAX = 10;

/** Where the view gets its figures. */
export interface SlotInsight {
  /** The thread's name in metrics. */
  thread: string;
  counts(): MessageCounts;
  hottest(keys: number): HotKey[];
  parked(): Iterable<[partition: number, key: string, parking: Parking]>;
}

/** The slot's thread calls this once, and the function that it returns for each `view` task. The figures are of the calling thread. */
export function createSlotView({ thread, counts, hottest, parked }: SlotInsight): () => SlotView {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return {
      eventLoopUtilization: utilization,
      cpuSeconds: threadCpuSeconds(),
      heapUsedBytes: getHeapStatistics().used_heap_size,
      messages: counts(),
      stages: ownStages(thread),
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
