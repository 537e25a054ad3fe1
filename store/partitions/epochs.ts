import postgres from 'postgres';
import { type Database, inTransaction, type Statement, type Transaction } from '../database/database.ts';

/*
 * The epoch claim: who may write the effects of a partition.
 *
 * The problem. Kafka decides which member has a partition, but a member learns late that it is out. A process that was stopped for a
 * minute (SIGSTOP, a frozen virtual machine) goes on in the middle of a turn and takes itself for the owner. Kafka refuses its offset
 * commit, because the generation is old. PostgreSQL knows nothing of generations: without a fence it would take the effects.
 *
 * The mechanism. `assignment_epochs` has one row per group and partition. A claim (`claimEpochs`) adds 1 to `epoch`, which locks the row
 * until the claim commits. Every transaction with effects begins with the fence (`holdEpochs`, `fencedPartitions`): it locks the row
 * FOR SHARE until the end of the transaction and compares the epoch with its own. The two locks exclude each other; fences of the same
 * epoch do not. So a transaction T of epoch 7 and the claim C of epoch 8 have only two orders:
 *
 *   fence of T first: C waits until T has ended. What T committed is visible to the new owner, and what T rolled back never happens.
 *   C first:          the fence of T waits until C has committed, reads the new version of the row, finds 8 instead of 7, and fails.
 *
 * There is no third order. Therefore: when `claimEpochs` returns, no transaction of an older epoch can commit any more, and the new
 * owner may load what is parked (`loadParkedKeys`) and begin. It must not load before the claim has returned.
 *
 * The counter-example. Let T only read the epoch, without the lock:
 *
 *   T: reads 7, as expected          T: inserts the payment of order A
 *   C: writes 8, commits             the new owner: reads order A, finds no payment, charges it
 *   T: commits                       two owners have worked on order A
 *
 * To read the epoch again just before the commit only makes the gap smaller. FOR KEY SHARE looks like a cheaper lock and is wrong:
 * `epoch` is no key column, so the claim's UPDATE would not wait for it.
 *
 * The wait has an end. A stopped owner holds its lock for as long as its connection lives. After FENCE_PATIENCE_MS the claim ends the
 * sessions that block it. The server decides then: either the COMMIT was executed before, and the lock was free, or it never will be.
 *
 * Which of two claimers wins? The later one, and that may be the wrong one: a member that is out of the group can claim late. The epochs
 * need not follow Kafka's generations for that. The owner that was fenced proves its membership by an offset commit and claims the
 * next epoch (runtime/host/partitions/partition-opener.ts: `reclaim`); a member that is out cannot prove it and gives up. For the same
 * reason a claim whose answer was lost is simply made again: it fences nothing but its own first try.
 *
 * If you change this file:
 * - Claim and fence lock the rows in ascending order of partitions. In another order two of them can wait for each other for ever.
 * - The fence stays the first statement of a turn. The actor's statements are sent right behind it, unanswered, and rely on the aborted
 *   transaction to refuse them (store/database/session.ts).
 * - Effects, parked keys and dead letters are written under a fence, without exception. (The notes about logs in partition-logs.ts and
 *   the pace of a replay are not fenced.)
 * The simulation's mutant `missing-fence` shows what happens without it.
 */

/** One group's reading of one topic: what epochs and parked keys belong to. */
export interface Subscription {
  group: string;
  topic: string;
}

/**
 * How long a claim waits for transactions of the previous epoch before it ends their sessions. Timeouts of the server are no help: a
 * session that is stopped between two messages of one statement counts as active, and only PostgreSQL 17 has `transaction_timeout`.
 */
const FENCE_PATIENCE_MS = 2_000;

/**
 * Makes the caller the owner of the partitions: each gets the next epoch. When it returns, no transaction of an older epoch can commit
 * any more. Called by the main thread of a worker, before a partition is opened.
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
  // In the order of the partitions, so that two claimers can't wait for each other.
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
 * The fence: locks the epochs against a claim until the transaction ends. The first statement of every turn. When the fence fails, the
 * transaction is aborted, so the statements of the effects may be sent right behind it.
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

/** The partitions with a newer owner, if `error` comes from a fence that failed; otherwise undefined. */
export function stalePartitions(error: unknown): number[] | undefined {
  if (!(error instanceof postgres.PostgresError) || error.code !== STALE_EPOCH) return undefined;
  return error.detail?.split(',').map(Number);
}

/**
 * The fence for transactions that wait for its answer before they send anything else: it returns the partitions with a newer owner
 * instead of failing.
 */
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
