import type { Database, Transaction } from './database.ts';

/** One group's reading of one topic: what epochs and parked keys belong to. */
export interface Subscription {
  group: string;
  topic: string;
}

/**
 * A session that holds a fence and goes silent (its process was stopped) is ended by the server after this many milliseconds, so that it
 * can't keep the next owner from claiming.
 */
const FENCE_IDLE_MS_MAX = 10_000;

/**
 * Makes the caller the owner of the partitions: each gets the next epoch. Waits for transactions that hold the fence of the epoch
 * before, so when it returns nothing of an older epoch can commit any more.
 * @returns the epoch by partition.
 */
export async function claimEpochs(
  database: Database,
  { group, topic }: Subscription,
  partitions: readonly number[],
  owner: string,
): Promise<Map<number, number>> {
  // In the order of the partitions, so that two claimers can't lock each other out.
  const sorted = [...partitions].sort((a, b) => a - b);
  const rows = await database<{ partition: number; epoch: string }[]>`
    insert into assignment_epochs as e (consumer_group, topic, partition, epoch, owner)
    select ${group}, ${topic}, p, 1, ${owner} from unnest(${sorted}::integer[]) with ordinality as t(p, n) order by n
    on conflict (consumer_group, topic, partition)
      do update set epoch = e.epoch + 1, owner = excluded.owner, claimed_at = now()
    returning partition, epoch`;
  return new Map(rows.map(({ partition, epoch }) => [partition, Number(epoch)]));
}

/**
 * The fence: locks the epochs against a claim until the transaction ends, and tells which of them are no longer current. The first statement
 * of every transaction with effects.
 * @returns the partitions that a newer epoch owns.
 */
export async function fencedPartitions(
  transaction: Transaction,
  { group, topic }: Subscription,
  epochs: ReadonlyMap<number, number>,
): Promise<Set<number>> {
  const partitions = [...epochs.keys()].sort((a, b) => a - b);
  const expected = partitions.map((partition) => epochs.get(partition) ?? -1);
  const current = await transaction<{ partition: number }[]>`
    select e.partition, set_config('idle_in_transaction_session_timeout', ${String(FENCE_IDLE_MS_MAX)}, true)
    from assignment_epochs e
    join unnest(${partitions}::integer[], ${expected}::bigint[]) as x(partition, epoch)
      on e.partition = x.partition and e.epoch = x.epoch
    where e.consumer_group = ${group} and e.topic = ${topic}
    order by e.partition
    for share of e`;
  const fenced = new Set(partitions);
  for (const { partition } of current) fenced.delete(partition);
  return fenced;
}
