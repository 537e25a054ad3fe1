// Shows the stage clock and the batch sizes of the calling thread. Called for the registry of each process and of each slot's thread.

import { performance } from 'node:perf_hooks';
import { Counter, type Registry } from 'prom-client';
import { threadSizes } from './batch-sizes.ts';
import { type StageClock, type StageTotal, threadStages } from './stage-clock.ts';

/** What a thread has spent since it started. */
export interface ThreadStages {
  thread: string;
  /** Processor time of the thread, as the system counts it. */
  cpuSeconds: number;
  /** Time that its event loop was busy. Longer than the processor time where other threads took the core meanwhile. */
  activeSeconds: number;
  stages: StageTotal[];
}

/** The same for people: with the cost of a message. */
export interface ThreadStagesView extends ThreadStages {
  stages: (StageTotal & { busyNsPerMessage: number | null })[];
}

/** The figures of the calling thread. */
export function ownStages(thread: string, stages: StageClock = threadStages): ThreadStagesView {
  const { user, system } = process.threadCpuUsage();
  return {
    thread,
    cpuSeconds: (user + system) / 1e6,
    activeSeconds: performance.eventLoopUtilization().active / 1_000,
    stages: stages.totals().map((total) => ({
      ...total,
      busyNsPerMessage: total.messages === 0 ? null : Math.round((total.busySeconds / total.messages) * 1e9),
    })),
  };
}

const stageCounters: Record<string, { help: string; value: (total: StageTotal) => number }> = {
  ordermesh_stage_seconds_total: {
    help: 'Time that the thread was busy with a stage; the times of different stages never overlap.',
    value: ({ busySeconds }) => busySeconds,
  },
  ordermesh_stage_wait_seconds_total: {
    help: 'Time that something was waited for in a stage; waits overlap, so this is not processor time.',
    value: ({ waitSeconds }) => waitSeconds,
  },
  ordermesh_stage_waits_total: { help: 'Waits in a stage.', value: ({ waits }) => waits },
  ordermesh_stage_messages_total: {
    help: 'Messages that passed a stage; records for the stages encode and produce.',
    value: ({ messages }) => messages,
  },
  ordermesh_stage_operations_total: {
    help: 'Steps in which the messages passed a stage: fetches, batches, turns, requests.',
    value: ({ operations }) => operations,
  },
};

/** Registers `ordermesh_stage_…`, `ordermesh_thread_…` and `ordermesh_produce_…` with the label `thread`. Counters start with the thread. */
export function registerStages(registry: Registry, thread: string): void {
  const registers = [registry];
  for (const [name, { help, value }] of Object.entries(stageCounters)) {
    new Counter({
      name,
      help,
      labelNames: ['thread', 'stage'],
      registers,
      collect() {
        this.reset();
        for (const total of threadStages.totals()) this.inc({ thread, stage: total.stage }, value(total));
      },
    });
  }
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      labelNames: ['thread'],
      registers,
      collect() {
        this.reset();
        this.inc({ thread }, read());
      },
    });
  counter('ordermesh_thread_cpu_seconds_total', 'Processor time of the thread.', () => ownStages(thread).cpuSeconds);
  counter(
    'ordermesh_thread_active_seconds_total',
    'Time that the event loop of the thread was busy; longer than its processor time where other threads took the core.',
    () => ownStages(thread).activeSeconds,
  );
  const { produceRecords, produceBytes, produceMs } = threadSizes;
  produceRecords.register(registry, 'ordermesh_produce_records', 'Records of a produce request.', { thread });
  produceBytes.register(registry, 'ordermesh_produce_bytes', 'Bytes of record batches in a produce request.', {
    thread,
  });
  produceMs.register(registry, 'ordermesh_produce_seconds', 'From sending a produce request to its answer.', {
    thread,
  });
}

/** The same for what only a main thread does. */
export function registerFetchSizes(registry: Registry, thread: string): void {
  const { fetchRecords, transferRecords } = threadSizes;
  fetchRecords.register(registry, 'ordermesh_fetch_records', 'Records of a fetch that brought some.', { thread });
  transferRecords.register(registry, 'ordermesh_transfer_records', 'Records handed to a slot at a time.', { thread });
}
