// Judges the history of a run by the checker and by the audit. Called by main.ts.

import {
  type AuditCounts,
  type AuditedRecord,
  createTrailBook,
  type Fault,
  type FaultKind,
  judge,
  noteDeadLetter,
  noteEvent,
  notePlaced,
} from '../../audit/index.ts';
import { deadLetterTopic, groups, subscriptions, topics } from '../../contracts/topics.ts';
import { check } from './checker/check.ts';
import { type AnomalyKind, type History, type LoggedRecord, recordsOf } from './checker/history.ts';
import type { FullHistory } from './history-reader.ts';

/** What was found of one order. */
export interface Finding {
  orderId: string;
  kind: FaultKind;
  detail: string;
}

export interface ChaosVerdict {
  counts: AuditCounts;
  findings: Finding[];
  /** Byte-identical records of an event after its first: at-least-once delivery at work. */
  repeats: number;
}

const countedAs: Record<AnomalyKind, FaultKind> = {
  'lost write': 'lost',
  'commit past unfinished': 'lost',
  'duplicate effect': 'duplicateEffects',
  'out of order': 'outOfOrder',
};

/**
 * Two judges on one history: the checker of this room, and the audit's, which counts as well. A run is clean only if neither finds anything.
 */
export function judgeHistory(history: FullHistory): ChaosVerdict {
  const audit = judge({
    book: bookOf(history),
    frontiers: {
      orderValidator: lastCommits(history, groups.orderValidator),
      payment: lastCommits(history, groups.payment),
      kitchen: lastCommits(history, groups.kitchen),
      bridge: new Map(),
    },
    effects: { of: (orderId) => history.effects.get(orderId), faults: history.databaseFaults },
    promised: history.orders.filter(({ status }) => status === 202).map(({ orderId }) => orderId),
    warehouse: undefined,
  });
  const findings = [
    ...check(history).map(({ kind, orderId, detail }) => ({
      orderId,
      kind: countedAs[kind],
      detail: `${kind}: ${detail}`,
    })),
    ...audit.faults.map(({ subject, kind, detail }: Fault) => ({ orderId: subject, kind, detail: `audit: ${detail}` })),
  ];
  const subjects = (kind: FaultKind) =>
    new Set(findings.filter((finding) => finding.kind === kind).map(({ orderId }) => orderId)).size;
  const counts = {
    ...audit.counts,
    lost: subjects('lost'),
    duplicateEffects: subjects('duplicateEffects'),
    outOfOrder: subjects('outOfOrder'),
  };
  return { counts, findings, repeats: audit.repeats };
}

function bookOf(history: History) {
  const book = createTrailBook();
  for (const record of recordsOf(history, topics.rawOrders)) notePlaced(book, audited(record));
  for (const topic of [topics.validatedOrders, topics.rejectedOrders])
    for (const record of recordsOf(history, topic)) noteEvent(book, audited(record));
  for (const { topic, group } of subscriptions)
    for (const record of recordsOf(history, deadLetterTopic(topic, group))) noteDeadLetter(book, audited(record));
  return book;
}

function audited({ key, value, headers, ...rest }: LoggedRecord): AuditedRecord {
  return {
    ...rest,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
  };
}

function lastCommits(history: History, group: string): Map<number, number> {
  const ofGroup = history.commits.filter((commit) => commit.group === group).toSorted((a, b) => a.at - b.at);
  return new Map(ofGroup.map(({ partition, offset }) => [partition, offset]));
}

/** Everything the history knows of an order, in the order of time: for a person who has to find out what happened. */
export function biography(history: FullHistory, orderId: string): string[] {
  const lines: [at: number, line: string][] = [];
  for (const sent of history.orders) {
    if (sent.orderId !== orderId) continue;
    lines.push([sent.sentAt, 'sent'], [sent.answeredAt, `answered ${sent.status} (attempt ${sent.attempts})`]);
  }
  for (const command of history.commands) {
    if (command.orderId !== orderId) continue;
    lines.push([command.sentAt, `${command.type} round ${command.round} sent`]);
    lines.push([command.answeredAt, `${command.type} round ${command.round}: ${command.outcome}`]);
  }
  for (const records of history.records.values()) {
    for (const { key, topic, partition, offset, timestamp, headers } of records) {
      const parked = headers['dlt-reason'] === undefined ? '' : ` (${headers['dlt-reason']}: ${headers['dlt-error']})`;
      if (key === orderId) lines.push([timestamp, `${topic} ${partition}:${offset} ${headers.ce_id ?? ''}${parked}`]);
    }
  }
  const stored = history.effects.get(orderId);
  return [
    ...lines.sort(([a], [b]) => a - b).map(([at, line]) => `${new Date(at).toISOString().slice(11, 23)} ${line}`),
    `database: ${stored === undefined ? 'nothing' : JSON.stringify(stored)}`,
  ];
}
