// Copies decisions, payments and conflicts from the log into a database that took over. Called by change-over.ts.

import { type LoggedDecision, type LoggedPayment, restoreDecisions, restorePayments } from '../../actors/restore.ts';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import type { EventType, OrderConflicting } from '../../contracts/events.ts';
import { acceptedTimeHeader } from '../../contracts/headers.ts';
import { topics } from '../../contracts/topics.ts';
import { createRegionAdmin, type ReadRecord, readTopic } from '../../kafka/index.ts';
import { type Database, inTransaction, type LoggedConflict, restoreConflicts } from '../../store/index.ts';
import { acceptedAtOf } from '../../telemetry/order-age.ts';
import { topicRanges } from '../divergence.ts';
import { BATCH_MS_MAX, within } from './within.ts';

const BATCH = 500;
/** Clocks of the database and of the processes that write events may differ by this much. */
const CLOCK_SLACK_MS = 10_000;

export interface Restored {
  /** Events read from the log. */
  read: number;
  /** Decisions that the database lacked. */
  decisions: number;
}

/**
 * Brings a database that took over up to the log of its cluster: standby and mirror are copies that were made independently, and what the log
 * says was told to others. Reads from ten seconds before the newest transaction that the standby had.
 */
export async function restoreFromLog(cluster: KafkaCluster, sql: Database, databaseAtMs: number): Promise<Restored> {
  const ranges = await topicRanges(cluster);
  const restored: Restored = { read: 0, decisions: 0 };
  const decisions: LoggedDecision[] = [];
  const payments: LoggedPayment[] = [];
  const conflicts: LoggedConflict[] = [];
  const store = async () => {
    const stored = inTransaction(sql, async (transaction) => {
      const missing = await restoreDecisions(transaction, decisions);
      await restorePayments(transaction, payments);
      await restoreConflicts(transaction, conflicts);
      return missing;
    });
    restored.decisions += await within(BATCH_MS_MAX, 'PostgreSQL of the region that takes over', stored);
    decisions.length = 0;
    payments.length = 0;
    conflicts.length = 0;
  };
  const note = async (record: ReadRecord) => {
    const { headers, value, timestamp } = record;
    const type = headers.ce_type?.toString() as EventType | undefined;
    if (type === undefined || value === null) return;
    restored.read++;
    const acceptedAtMs = acceptedAtOf(headers[acceptedTimeHeader]?.toString());
    if (type === 'order.validated' || type === 'order.rejected')
      decisions.push({ type, event: JSON.parse(value.toString()), acceptedAtMs: acceptedAtMs ?? timestamp });
    else if (type === 'order.paid' || type === 'order.payment-failed')
      payments.push({ type, event: JSON.parse(value.toString()) });
    else if (type === 'order.conflicting')
      conflicts.push(loggedConflict(JSON.parse(value.toString()), record, acceptedAtMs ?? timestamp));
    if (decisions.length + payments.length + conflicts.length >= BATCH) await store();
  };
  const admin = createRegionAdmin({ clientId: 'ordermesh-region', cluster });
  try {
    for (const topic of [topics.rejectedOrders, topics.validatedOrders]) {
      const partitions = ranges.filter((range) => range.topic === topic).map(({ partition }) => partition);
      const fromOffsets = await admin.offsetsAt(topic, partitions, databaseAtMs - CLOCK_SLACK_MS);
      await readTopic({ cluster, topic, clientId: 'ordermesh-region', fromOffsets }, note);
    }
  } finally {
    await admin.close();
  }
  await store();
  return restored;
}

/** The event does not name the content's place in raw-orders, so the place of the event is stored instead. */
function loggedConflict(event: OrderConflicting, record: ReadRecord, acceptedAtMs: number): LoggedConflict {
  const { orderId, fingerprint, storeId, reasons, occurredAt } = event;
  const { topic, partition, offset, headers } = record;
  const n = Number(headers.ce_id?.toString().split('/')[2]);
  const seenAt = new Date(occurredAt);
  return { orderId, fingerprint, storeId, reasons, acceptedAtMs, topic, partition, offset, n, seenAt };
}
