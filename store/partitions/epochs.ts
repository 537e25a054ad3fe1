import postgres from 'postgres';
import { type Database, inTransaction, type Statement, type Transaction } from '../database/database.ts';

/** One group's reading of one topic: what epochs and parked keys belong to. */
export interface Subscription {
  group: string;
  topic: string;
}

/**
 * A claim waits this long, in milliseconds, for transactions of the previous epoch. Then it ends their sessions, because an owner that was stopped in the
 * middle of a transaction would hold its fence for as long as it lives. (Timeouts of the server are no help: a session that is stopped between two
 * messages of one statement counts as active, and only PostgreSQL 17 has `transaction_timeout`.)
 */
const FENCE_PATIENCE_MS = 2_000;

/**
 * Makes the caller the owner of the partitions: each gets the next epoch. Waits for transactions that hold the fence of the epoch
 * before, and ends them after a while, so when it returns nothing of an older epoch can commit any more.
 * @param onBlocked called once, when the sessions that block the claim cannot be ended; the claim goes on waiting
 * @returns the epoch by partition.
 */
export async function claimEpochs(
  database: Database,
  { group, topic }: Subscription,
  partitions: readonly number[],
  owner: string,
  onBlocked: (error: Error) => void = () => {},
): Promise<Map<number, number>> {
  // In the order of the partitions, so that two claimers can't lock each other out.
  const sorted = [...partitions].sort((a, b) => a - b);
  return await inTransaction(database, async (transaction) => {
    const [session] = await transaction<{ pid: number }[]>`select pg_backend_pid() as pid`;
    let isTold = false;
    const impatience = setInterval(() => {
      endBlockingSessions(database, session?.pid ?? 0).catch((error: Error) => {
        if (!isTold) onBlocked(error);
        isTold = true;
      });
    }, FENCE_PATIENCE_MS);
    try {
      const rows = await transaction<{ partition: number; epoch: string }[]>`
        insert into assignment_epochs as e (consumer_group, topic, partition, epoch, owner)
        select ${group}, ${topic}, p, 1, ${owner} from unnest(${sorted}::integer[]) with ordinality as t(p, n) order by n
        on conflict (consumer_group, topic, partition)
          do update set epoch = e.epoch + 1, owner = excluded.owner, claimed_at = now()
        returning partition, epoch`;
      return new Map(rows.map(({ partition, epoch }) => [partition, Number(epoch)]));
    } finally {
      clearInterval(impatience);
    }
  });
}

/** Ends the sessions that `pid` waits for. A role may end sessions of its own; their transactions are rolled back. */
async function endBlockingSessions(database: Database, pid: number): Promise<void> {
  await database`select pg_terminate_backend(blocker) from unnest(pg_blocking_pids(${pid})) as blocker`;
}

/** SQLSTATE of `hold_epochs`. */
const STALE_EPOCH = 'OM001';

/**
 * The fence: locks the epochs against a claim until the transaction ends. The first statement of every transaction with effects. When it fails it
 * has aborted the transaction, so the statements of the effects may be sent right behind it.
 * @returns the statement, not yet sent; it fails with an error that `stalePartitions` reads when a newer epoch owns one of the partitions.
 */
export function holdEpochs(
  transaction: Transaction,
  { group, topic }: Subscription,
  epochs: ReadonlyMap<number, number>,
): Statement {
  return transaction`
    select hold_epochs(${group}, ${topic}, ${[...epochs.keys()]}::integer[], ${[...epochs.values()]}::bigint[])`;
}

/** The partitions with a newer owner, when `error` is that of a fence that did not hold. */
export function stalePartitions(error: unknown): number[] | undefined {
  if (!(error instanceof postgres.PostgresError) || error.code !== STALE_EPOCH) return undefined;
  return error.detail?.split(',').map(Number);
}

/** `holdEpochs` for a transaction that ends without effects in that case, instead of failing. Nothing may be sent before its answer. */
export async function fencedPartitions(
  transaction: Transaction,
  { group, topic }: Subscription,
  epochs: ReadonlyMap<number, number>,
): Promise<Set<number>> {
  const partitions = [...epochs.keys()].sort((a, b) => a - b);
  const expected = partitions.map((partition) => epochs.get(partition) ?? -1);
  const current = await transaction<{ partition: number }[]>`
    select e.partition from assignment_epochs e
    join unnest(${partitions}::integer[], ${expected}::bigint[]) as x(partition, epoch)
      on e.partition = x.partition and e.epoch = x.epoch
    where e.consumer_group = ${group} and e.topic = ${topic}
    order by e.partition
    for share of e`;
  const fenced = new Set(partitions);
  for (const { partition } of current) fenced.delete(partition);
  return fenced;
}
