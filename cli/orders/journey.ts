import type { ConnectedConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { orderTopics, topics } from '../../contracts/topics.ts';
import { partitionOf, type ReadRecord, readTopic, withAdmin } from '../../kafka/index.ts';
import { partitionHistory, withDatabase } from '../../store/index.ts';
import { readActSteps } from './act-steps.ts';
import type { JourneyStep, UntimedStep } from './journey-step.ts';
import { stepOf } from './record-step.ts';

/**
 * Every record of the order in every topic, by time. Reads only the partition of the order, and the partitions that it had when the topic had fewer
 * partitions.
 */
export async function readJourney(config: ConnectedConfig, orderId: string): Promise<JourneyStep[]> {
  const records: ReadRecord[] = [];
  const partitions = await withAdmin(config, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const counts: [topic: string, partitions: number][] = [];
    for (const topic of orderTopics.filter((name) => existing.has(name))) {
      counts.push([topic, (await admin.offsets(topic)).length]);
    }
    return counts;
  });
  const history = await withDatabase(config, (sql) => partitionHistory(sql));
  await Promise.all(
    partitions.map(([topic, count]) =>
      readTopic(
        {
          cluster: clusterOf(config),
          topic,
          clientId: 'ordermesh-cli',
          fromOffsets: only(orderId, count, history.get(topic)),
        },
        (record) => {
          if (record.key?.toString() === orderId) records.push(record);
        },
      ),
    ),
  );
  return journeyOf(records, await withDatabase(config, (sql) => readActSteps(sql, orderId)));
}

/** Other partitions start beyond any record, so they are not read. */
function only(
  key: string,
  partitions: number,
  known: { partitions: number; earlier: number[] } | undefined,
): Map<number, number> {
  const counts = [partitions, ...(known === undefined ? [] : [known.partitions, ...known.earlier])];
  const own = new Set(counts.map((count) => partitionOf(Buffer.from(key), count)));
  const others = Array.from({ length: partitions }, (_, partition) => partition).filter((other) => !own.has(other));
  return new Map(others.map((partition) => [partition, Number.MAX_SAFE_INTEGER]));
}

/** @param acts what was done to the order's dead letters, in order */
export function journeyOf(records: readonly ReadRecord[], acts: readonly UntimedStep[] = []): JourneyStep[] {
  const inLog = inTime(records).map(stepOf);
  const steps = merged(inLog, acts);
  return steps.map((step, index) => ({
    ...step,
    sincePreviousMs: Date.parse(step.at) - Date.parse(steps[index - 1]?.at ?? step.at),
  }));
}

/** Merges two lists of steps by time. Each list keeps its own order. */
function merged(log: readonly UntimedStep[], acts: readonly UntimedStep[]): UntimedStep[] {
  const steps = [...log];
  let from = 0;
  for (const act of acts) {
    const later = steps.findIndex((step, index) => index >= from && step.at > act.at);
    from = (later === -1 ? steps.length : later) + 1;
    steps.splice(from - 1, 0, act);
  }
  return steps;
}

/** By time, except that a topic's records stay in the order of their offsets whatever their clocks say. */
function inTime(records: readonly ReadRecord[]): ReadRecord[] {
  const latest = new Map<string, number>();
  return records
    .toSorted((a, b) => a.offset - b.offset)
    .map((record) => {
      const time = Math.max(record.timestamp, latest.get(record.topic) ?? 0);
      latest.set(record.topic, time);
      return { record, time, rank: record.topic === topics.rawOrders ? 0 : 1 };
    })
    .sort((a, b) => a.time - b.time || a.rank - b.rank)
    .map(({ record }) => record);
}
