// Copies dead letters from the log into a database that took over. Called by change-over.ts.

import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { deadLetterHeaders } from '../../contracts/headers.ts';
import { messageIdentity } from '../../contracts/message-identity.ts';
import { deadLetterTopic, subscriptions } from '../../contracts/topics.ts';
import { createAdmin, createRegionAdmin, type ReadRecord, readTopic } from '../../kafka/index.ts';
import { type Database, inTransaction, type NewDeadLetter, restoreDeadLetters } from '../../store/index.ts';
import { BATCH_MS_MAX, within } from './within.ts';

const CLIENT = 'ordermesh-region';
const BATCH = 200;
/** Clocks of the database and of the processes that write dead letters may differ by this much. */
const CLOCK_SLACK_MS = 10_000;

/**
 * Brings the dead letters of a database that took over up to the dead-letter topics of its cluster: what was parked in the last moments of the
 * other region stays parked, and can be replayed here. @returns how many the database lacked
 */
export async function restoreLetters(cluster: KafkaCluster, sql: Database, databaseAtMs: number): Promise<number> {
  const admin = await createAdmin({ clientId: CLIENT, cluster });
  const regionAdmin = createRegionAdmin({ clientId: CLIENT, cluster });
  let restored = 0;
  try {
    for (const subscription of subscriptions) {
      const topic = deadLetterTopic(subscription.topic, subscription.group);
      const partitions = (await admin.offsets(topic)).map(({ partition }) => partition);
      if (partitions.length === 0) continue;
      const fromOffsets = await regionAdmin.offsetsAt(topic, partitions, databaseAtMs - CLOCK_SLACK_MS);
      const letters: NewDeadLetter[] = [];
      const store = async () => {
        const stored = inTransaction(sql, (transaction) => restoreDeadLetters(transaction, subscription, letters));
        restored += await within(BATCH_MS_MAX, 'PostgreSQL of the region that takes over', stored);
        letters.length = 0;
      };
      await readTopic({ cluster, topic, clientId: CLIENT, fromOffsets }, async (record) => {
        const letter = letterOf(record);
        if (letter !== undefined) letters.push(letter);
        if (letters.length >= BATCH) await store();
      });
      await store();
    }
  } finally {
    await Promise.all([admin.close(), regionAdmin.close()]);
  }
  return restored;
}

/** Undefined for what no worker of ours wrote. */
function letterOf({ key, value, headers: all, timestamp: writtenAt }: ReadRecord): NewDeadLetter | undefined {
  const text = (name: keyof typeof deadLetterHeaders) => all[deadLetterHeaders[name]]?.toString();
  const [partition, offset] = [Number(text('partition')), Number(text('offset'))];
  if (key === null || !Number.isInteger(partition) || !Number.isInteger(offset)) return undefined;
  const own = new Set<string>(Object.values(deadLetterHeaders));
  const headers = Object.fromEntries(Object.entries(all).filter(([name]) => !own.has(name)));
  const behind = text('behind');
  const timestamp = Number(text('timestamp') ?? writtenAt);
  return {
    partition,
    offset,
    log: Number(text('log') ?? 0),
    key: key.toString(),
    keyBytes: key,
    value,
    headers,
    timestamp,
    behind: behind === undefined ? null : Number(behind),
    reason: text('reason') ?? '',
    error: text('error') ?? '',
    attempts: behind === undefined ? Number(text('attempts') ?? 0) : 0,
    firstFailedAt: Date.parse(text('firstFailedAt') ?? '') || writtenAt,
    applied: false,
    identity: messageIdentity({ keyBytes: key, value, headers, timestamp }),
  };
}
