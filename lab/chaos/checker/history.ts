// The history of a run, and the anomalies that the checker can find in it. history-reader.ts reads one from disk.

import type { EventType } from '../../../contracts/events.ts';
import type { OrderEffects } from '../../../store/index.ts';
import type { CrewCommand } from '../../crew.ts';

/** A record of a topic, as the checker sees it. */
export interface LoggedRecord {
  topic: string;
  partition: number;
  offset: number;
  /** Milliseconds since 1970, by the producer's clock, before the record was acknowledged. */
  timestamp: number;
  key: string | null;
  value: string | null;
  headers: Record<string, string>;
}

/** A commit of a group, as its coordinator stored it. */
export interface LoggedCommit {
  group: string;
  topic: string;
  partition: number;
  /** Offset of the next record to read. */
  offset: number;
  /** Milliseconds since 1970, by the coordinator's clock. */
  at: number;
}

/** One order as the load generator sent it, retries included. */
export interface SentOrder {
  orderId: string;
  sentAt: number;
  answeredAt: number;
  /** The last answer's HTTP status; 0 when none came. */
  status: number;
  attempts: number;
}

/** What clients did and were told, and everything that is to be seen afterwards. All times are of one machine's clock. */
export interface History {
  orders: readonly SentOrder[];
  commands: readonly CrewCommand[];
  /** By topic; ascending offsets in each partition. A topic that is absent is empty. */
  records: ReadonlyMap<string, readonly LoggedRecord[]>;
  commits: readonly LoggedCommit[];
  /** What the database holds, by orderId. */
  effects: ReadonlyMap<string, Pick<OrderEffects, 'decision' | 'payment' | 'charges' | 'ticket'>>;
}

export const anomalyKinds = ['lost write', 'duplicate effect', 'out of order', 'commit past unfinished'] as const;
export type AnomalyKind = (typeof anomalyKinds)[number];

export interface Anomaly {
  kind: AnomalyKind;
  /** The order at fault; `partition:offset` of a record without a key. */
  orderId: string;
  detail: string;
}

export function recordsOf(history: History, topic: string): readonly LoggedRecord[] {
  return history.records.get(topic) ?? [];
}

/** An order's id, or for a record without a key where it stands, as for the runtime. */
export function keyOf({ key, partition, offset }: Pick<LoggedRecord, 'key' | 'partition' | 'offset'>): string {
  return key ?? `${partition}:${offset}`;
}

export function typeOf({ headers }: LoggedRecord): EventType | undefined {
  return headers.ce_type as EventType | undefined;
}

export function placeOf({ topic, partition, offset }: Pick<LoggedRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${topic} ${partition}:${offset}`;
}
