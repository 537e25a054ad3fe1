// Remembers the numbers of partitions of a topic. Called by the runtime, `topics apply` and `orders show`.

import type { Database } from '../database/database.ts';

/**
 * How many partitions the topic has had since orders were written to it. Stores `partitions` if nothing is stored yet.
 * @returns the stored number
 */
export async function rememberPartitions(database: Database, topic: string, partitions: number): Promise<number> {
  const [row] = await database<{ partitions: number }[]>`
    with noted as (
      insert into topic_partitions (topic, partitions) values (${topic}, ${partitions})
      on conflict (topic) do nothing returning partitions
    )
    select partitions from noted union all select partitions from topic_partitions where topic = ${topic} limit 1`;
  return row?.partitions ?? partitions;
}

/** Called for an operator who accepts the new number, because no order from before is still on its way. */
export async function acceptPartitions(database: Database, topic: string, partitions: number): Promise<void> {
  await database`
    insert into topic_partitions as t (topic, partitions) values (${topic}, ${partitions})
    on conflict (topic) do update
      set earlier = t.earlier || t.partitions, partitions = excluded.partitions, noted_at = now()
      where t.partitions <> excluded.partitions`;
}

/**
 * All numbers of partitions that the topics have had, by topic. A record of an order is in the partition where one of these numbers puts
 * its key.
 */
export async function partitionHistory(
  database: Database,
): Promise<Map<string, { partitions: number; earlier: number[] }>> {
  const rows = await database<{ topic: string; partitions: number; earlier: number[] }[]>`
    select topic, partitions, earlier from topic_partitions`;
  return new Map(rows.map(({ topic, ...numbers }) => [topic, numbers]));
}
