// Reads the stage clocks of a role from its /metrics, and says what a stretch of time cost by thread and stage. For the reports of perf/ and cli/.

import { type StageName, stageNames } from './stage.ts';
import type { StageTotal } from './stage-clock.ts';
import type { ThreadStages } from './stage-metrics.ts';

/** What one thread spent between two readings. */
export interface ThreadCost {
  thread: string;
  /** Processor time as the system counts it. */
  cpuSeconds: number;
  /** Part of it that the stages explain. */
  explainedSeconds: number;
  stages: StageCost[];
}

/** What one stage cost a thread between two readings. */
export interface StageCost {
  stage: StageName;
  messages: number;
  /** Mean number of messages of a step; undefined for no steps. */
  batch: number | undefined;
  /** Processor time. Times of different stages and threads may be added up. */
  cpuSeconds: number;
  /** Mean length of one wait, in milliseconds; undefined for no waits. Never add it to processor time. */
  waitMs: number | undefined;
}

const SAMPLE = /^(ordermesh_(?:stage|thread)_\w+)\{([^}]*)\} (\S+)$/gm;

/** The threads in a scrape in the Prometheus text format. Processes that share a scrape share a thread of the same name. */
export function readStages(scrape: string): ThreadStages[] {
  const threads = new Map<string, ThreadStages>();
  for (const [, metric = '', labels = '', value] of scrape.matchAll(SAMPLE)) {
    const name = labelOf(labels, 'thread');
    const thread = threads.get(name) ?? { thread: name, cpuSeconds: 0, activeSeconds: 0, stages: [] };
    threads.set(name, thread);
    if (metric === 'ordermesh_thread_cpu_seconds_total') thread.cpuSeconds += Number(value);
    if (metric === 'ordermesh_thread_active_seconds_total') thread.activeSeconds += Number(value);
    const field = fields[metric];
    if (field === undefined) continue;
    const stage = labelOf(labels, 'stage') as StageName;
    let total = thread.stages.find((one) => one.stage === stage);
    if (total === undefined) {
      total = { stage, messages: 0, operations: 0, busySeconds: 0, waits: 0, waitSeconds: 0 };
      thread.stages.push(total);
    }
    total[field] += Number(value);
  }
  return [...threads.values()];
}

const fields: Record<string, Exclude<keyof StageTotal, 'stage'>> = {
  ordermesh_stage_seconds_total: 'busySeconds',
  ordermesh_stage_wait_seconds_total: 'waitSeconds',
  ordermesh_stage_waits_total: 'waits',
  ordermesh_stage_messages_total: 'messages',
  ordermesh_stage_operations_total: 'operations',
};

function labelOf(labels: string, name: string): string {
  return new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
}

/**
 * What the threads spent between two readings of the same role. A thread that was replaced meanwhile has only what the new one spent.
 *
 * Busy time is elapsed time: on a full machine it includes moments in which the core ran another thread. These hit all stages of a thread
 * alike, so each stage gets its share of the thread's processor time: busy time / time that the event loop was active * processor time.
 */
export function stageCosts(before: readonly ThreadStages[], after: readonly ThreadStages[]): ThreadCost[] {
  return after.map((now) => {
    const earlier = before.find(({ thread }) => thread === now.thread);
    const isSame = earlier !== undefined && earlier.cpuSeconds <= now.cpuSeconds;
    const was = isSame ? earlier : { cpuSeconds: 0, activeSeconds: 0, stages: [] };
    const cpuSeconds = now.cpuSeconds - was.cpuSeconds;
    const activeSeconds = now.activeSeconds - was.activeSeconds;
    const share = activeSeconds > 0 ? cpuSeconds / activeSeconds : 1;
    const stages = now.stages
      .map((total) => {
        const first = was.stages.find(({ stage }) => stage === total.stage);
        return costOf(total, first, share);
      })
      .filter(({ messages, cpuSeconds: spent, waitMs }) => messages > 0 || spent > 0 || waitMs !== undefined)
      .sort((a, b) => stageNames.indexOf(a.stage) - stageNames.indexOf(b.stage));
    return {
      thread: now.thread,
      cpuSeconds,
      explainedSeconds: stages.reduce((sum, stage) => sum + stage.cpuSeconds, 0),
      stages,
    };
  });
}

function costOf(total: StageTotal, first: StageTotal | undefined, share: number): StageCost {
  const messages = total.messages - (first?.messages ?? 0);
  const operations = total.operations - (first?.operations ?? 0);
  const waits = total.waits - (first?.waits ?? 0);
  return {
    stage: total.stage,
    messages,
    batch: operations === 0 ? undefined : messages / operations,
    cpuSeconds: (total.busySeconds - (first?.busySeconds ?? 0)) * share,
    waitMs: waits === 0 ? undefined : ((total.waitSeconds - (first?.waitSeconds ?? 0)) / waits) * 1_000,
  };
}
