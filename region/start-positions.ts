// Sets from where the groups of a region read after a failover. Called by change-over.ts.

import type { KafkaCluster } from '../contracts/config/kafka-cluster.ts';
import { deadLetterTopic, groups, subscriptions, topics } from '../contracts/topics.ts';
import { createAdmin, createRegionAdmin, type ReadRecord, readTopic } from '../kafka/index.ts';

export interface StartPositionsOptions {
  cluster: KafkaCluster;
  /** How far back gaps are looked for, from the newest record on, in milliseconds: longer than the mirror can have been behind. */
  scanMs: number;
  /** Up to when the database knows what happened, in milliseconds since 1970. What came later the kitchen reads again. */
  databaseAtMs: number;
  /** Also publish again what came later: for a database that lost points of the loyalty ledger. Event ids make it count once. */
  bridgeToo?: boolean;
}

/** How many partitions of each group start earlier than the translated position says, and how many records that repeats. */
export type Rewinds = Record<string, { partitions: number; records: number }>;

type Positions = Map<number, number>;

const CLIENT = 'ordermesh-region';
const CLOCK_SLACK_MS = 10_000;

/**
 * Moves groups, which must have no members, back to where nothing is skipped. MirrorMaker translates each group's position by itself and copies
 * each topic by itself, so a position may stand behind a record whose outcome was not copied any more: it would never get one. Every group
 * starts at the first such record, or at the translated position if that is earlier. What is repeated by that has the outcome it had before.
 */
export async function closeGaps(options: StartPositionsOptions): Promise<Rewinds> {
  const { cluster, databaseAtMs } = options;
  const admin = await createAdmin({ clientId: CLIENT, cluster });
  const regionAdmin = createRegionAdmin({ clientId: CLIENT, cluster });
  try {
    const partitions = (await admin.offsets(topics.rawOrders)).map(({ partition }) => partition);
    const newest = await regionAdmin.newestAt(topics.rawOrders, partitions);
    const sinceMs = (newest ?? Date.now()) - options.scanMs;
    const from = async (topic: string, atMs: number) => ({
      cluster,
      topic,
      clientId: CLIENT,
      fromOffsets: await regionAdmin.offsetsAt(topic, partitions, atMs),
    });
    const gaps = await findGaps((topic, note) => from(topic, sinceMs).then((source) => readTopic(source, note)));
    const known = await regionAdmin.offsetsAt(topics.validatedOrders, partitions, databaseAtMs - CLOCK_SLACK_MS);
    const earliest: Record<string, Positions> = {
      [groups.orderValidator]: gaps.undecided,
      [groups.payment]: gaps.unpaid,
      [groups.kitchen]: known,
      ...(options.bridgeToo ? { [groups.bridge]: known } : {}),
    };
    const rewinds: Rewinds = {};
    for (const { group, topic } of subscriptions) {
      const translated = await admin.committedOffsets(group, topic);
      const back = earlier(translated, earliest[group] ?? new Map());
      await regionAdmin.commitFor(group, topic, back);
      const records = [...back].reduce((sum, [partition, to]) => sum + (translated.get(partition) ?? to) - to, 0);
      rewinds[group] = { partitions: back.size, records };
    }
    return rewinds;
  } finally {
    await Promise.all([admin.close(), regionAdmin.close()]);
  }
}

/** The positions that are earlier than the translated ones. */
function earlier(translated: ReadonlyMap<number, number>, wanted: Positions): Positions {
  return new Map([...wanted].filter(([partition, offset]) => offset < (translated.get(partition) ?? 0)));
}

type Read = (topic: string, onRecord: (record: ReadRecord) => void) => Promise<unknown>;

/** The first record of each partition that has no outcome. */
async function findGaps(read: Read): Promise<{ undecided: Positions; unpaid: Positions }> {
  const decided = new Set<string>();
  const settled = new Set<string>();
  const validated: { orderId: string; partition: number; offset: number }[] = [];
  await read(topics.validatedOrders, ({ key, headers, partition, offset }) => {
    const orderId = String(key);
    switch (headers.ce_type?.toString()) {
      case 'order.validated':
        decided.add(orderId);
        validated.push({ orderId, partition, offset });
        break;
      case 'order.paid':
      case 'order.payment-failed':
        settled.add(orderId);
        break;
      default:
    }
  });
  for (const topic of [topics.rejectedOrders, deadLetterTopic(topics.rawOrders, groups.orderValidator)])
    await read(topic, ({ key }) => decided.add(String(key)));
  await read(deadLetterTopic(topics.validatedOrders, groups.payment), ({ key }) => settled.add(String(key)));

  const undecided: Positions = new Map();
  await read(topics.rawOrders, ({ key, partition, offset }) => {
    if (!undecided.has(partition) && !decided.has(String(key))) undecided.set(partition, offset);
  });
  const unpaid: Positions = new Map();
  for (const { orderId, partition, offset } of validated)
    if (!settled.has(orderId)) unpaid.set(partition, Math.min(offset, unpaid.get(partition) ?? offset));
  return { undecided, unpaid };
}
