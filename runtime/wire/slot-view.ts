import type { ThreadStagesView } from '../../telemetry/stages/stage-metrics.ts';

/** What a slot's thread says of itself when the main thread asks (`GET /debug/runtime`). Plain data: it crosses the thread boundary. */
export interface SlotView {
  /** Share of the time since the last view in which the event loop was busy. */
  eventLoopUtilization: number;
  /** Seconds of CPU since the thread started. */
  cpuSeconds: { user: number; system: number };
  heapUsedBytes: number;
  messages: MessageCounts;
  /** What the thread has spent, by stage. */
  stages: ThreadStagesView;
  hottestKeys: HotKey[];
  parkedKeys: ParkedKeyView[];
}

/** How many messages of the slot are in each state that takes time. `runtime/slot/message-state.ts` explains the states. */
export interface MessageCounts {
  ready: number;
  /** Their `prepare` is in flight. */
  begun: number;
  applicable: number;
  inTurn: number;
  producing: number;
  /** They wait for the end of a back-off. */
  retried: number;
}

/** A frequent key. */
export interface HotKey {
  key: string;
  /** Estimated share of all recent messages; the true share is at least `share - error`. */
  share: number;
  error: number;
}

/** A parked key, and the failure that parked it. */
export interface ParkedKeyView {
  partition: number;
  key: string;
  reason: string;
  error: string;
  attempts: number;
  firstOffset: number;
  firstFailedAt: string;
}
