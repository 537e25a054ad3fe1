// Finds records and topics that were removed before a group had worked on them. Called by read-evidence.ts.

import type { ConnectedConfig } from '../contracts/config/config.ts';
import { clusterOf } from '../contracts/config/kafka-cluster.ts';
import { groups, subscriptions, topics } from '../contracts/topics.ts';
import { createTopicLog, KafkaUnavailableError } from '../kafka/index.ts';
import { decideLog, knownLogs, knownTopics, readSkipped, type SkipReason, withDatabase } from '../store/index.ts';
import type { Fault } from './fault.ts';

/** Records that a group will never work on: they were removed before it came to them. */
export interface SkippedRecords {
  group: string;
  topic: string;
  partition: number;
  log: number;
  from: number;
  /** The one behind the last. */
  to: number;
  reason: SkipReason;
  /** Milliseconds since 1970; absent where no worker has noticed it yet. */
  noticedAt?: number;
}

/** A fault for each topic that does not exist although a group has worked on it: the orders that only it held cannot be judged. */
export async function readGoneTopics(config: ConnectedConfig, existing: ReadonlySet<string>): Promise<Fault[]> {
  const missing = Object.values(topics).filter((topic) => !existing.has(topic));
  if (missing.length === 0) return [];
  const known = await withDatabase(config, (sql) => knownTopics(sql, missing));
  return known.map(({ topic, group, unread }) => ({
    kind: 'lost',
    subject: topic,
    detail: `is gone although ${group} has worked on it; ${unread} of its records were unread when ${group} last looked`,
  }));
}

/** What workers have noticed, and what they would notice if they were started now. */
export async function readSkippedRecords(
  config: ConnectedConfig,
  existing: ReadonlySet<string>,
): Promise<SkippedRecords[]> {
  return await withDatabase(config, async (sql) => {
    const skipped = new Map<string, SkippedRecords>();
    const add = (range: SkippedRecords) => {
      const place = [range.group, range.topic, range.partition, range.log, range.from].join('/');
      const known = skipped.get(place);
      if (known === undefined || known.to < range.to) skipped.set(place, range);
    };
    for (const { noticedAt, ...range } of await readSkipped(sql)) add({ ...range, noticedAt: noticedAt.getTime() });
    for (const { group, topic } of subscriptions) {
      if (!existing.has(topic)) continue;
      const topicLog = createTopicLog({ clientId: 'ordermesh-audit', cluster: clusterOf(config), topic });
      try {
        const count = (await topicLog.look([]))?.partitions ?? 0;
        const partitions = Array.from({ length: count }, (_, partition) => partition);
        // Positions first: otherwise a group that commits meanwhile would look as if records had been removed before it.
        const committed = await topicLog.committed(group, partitions);
        const known = await knownLogs(sql, { group, topic }, partitions);
        const look = await topicLog.look(partitions);
        if (look === undefined) continue;
        const unseen = partitions.filter((partition) => !look.ranges.has(partition));
        if (unseen.length > 0)
          throw new KafkaUnavailableError(`partitions ${unseen.join(', ')} of ${topic} have no leader that answers`);
        for (const [partition, range] of look.ranges) {
          const position = committed.get(partition);
          const logs = known.get(partition) ?? [];
          const { logId, clusterId } = look;
          const seen = {
            partition,
            logId,
            clusterId,
            ...range,
            ...(position === undefined ? {} : { committed: position }),
          };
          const found = decideLog(seen, logs).skipped;
          if (found !== undefined) add({ group, topic, ...found });
          // Every order is for the validator, whether it ever ran or not.
          else if (group === groups.orderValidator && position === undefined && logs.length === 0 && range.earliest > 0)
            add({ group, topic, partition, log: 0, from: 0, to: range.earliest, reason: 'removed' });
        }
      } finally {
        await topicLog.close();
      }
    }
    return [...skipped.values()];
  });
}
