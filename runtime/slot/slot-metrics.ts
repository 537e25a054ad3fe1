import { performance } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { registerRefusals } from '../../kafka/index.ts';
import { registerStages } from '../../telemetry/stages/stage-metrics.ts';
import type { EngineObserver } from './engine-ports.ts';
import { threadCpuSeconds } from './thread-view.ts';

/** The name of a slot's thread in metrics and views. */
export const slotThread = (slot: number): string => `slot ${slot}`;

/** The metrics of one slot's thread. The main thread merges them with its own in one scrape. */
export function createSlotMetrics(role: string, slot: number): { registry: Registry; observer: EngineObserver } {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  registerRefusals(registry);
  registerStages(registry, slotThread(slot));
  const registers = [registry];
  const turnMessages = new Histogram({
    name: 'ordermesh_runtime_turn_messages',
    help: 'Messages whose effects shared one transaction.',
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000],
    registers,
  });
  const turnSeconds = new Histogram({
    name: 'ordermesh_runtime_turn_duration_seconds',
    help: 'From the start of a turn to its commit, splits and repeats included.',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
    registers,
  });
  const retries = new Counter({
    name: 'ordermesh_runtime_retries_total',
    help: 'Failed attempts that were followed by another.',
    registers,
  });
  const deadLetters = new Counter({
    name: 'ordermesh_runtime_dead_letters_total',
    help: 'Messages written to the dead-letter topic; behind="true" for those parked behind an earlier one.',
    labelNames: ['behind'],
    registers,
  });
  const replays = new Counter({
    name: 'ordermesh_runtime_replays_total',
    help: 'Dead letters that were replayed, by whether they failed again.',
    labelNames: ['failed'],
    registers,
  });
  let last = performance.eventLoopUtilization();
  new Gauge({
    name: 'ordermesh_runtime_event_loop_utilization',
    help: 'Share of the time since the last scrape that the event loop of the slot was busy.',
    labelNames: ['slot'],
    registers,
    collect() {
      const now = performance.eventLoopUtilization();
      this.set({ slot: String(slot) }, performance.eventLoopUtilization(now, last).utilization);
      last = now;
    },
  });
  new Counter({
    name: 'ordermesh_runtime_slot_cpu_seconds_total',
    help: 'CPU time of the slot since its thread started; a new thread starts at 0.',
    labelNames: ['slot', 'mode'],
    registers,
    collect() {
      this.reset();
      for (const [mode, seconds] of Object.entries(threadCpuSeconds())) this.inc({ slot: String(slot), mode }, seconds);
    },
  });
  return {
    registry,
    observer: {
      turn(messages, seconds) {
        turnMessages.observe(messages);
        turnSeconds.observe(seconds);
      },
      retry: () => retries.inc(),
      deadLetter: (behind) => deadLetters.inc({ behind: String(behind) }),
      replayed: (failed) => replays.inc({ failed: String(failed) }),
    },
  };
}
