/** First and end offset of one partition. */
export interface PartitionRange {
  topic: string;
  partition: number;
  earliest: number;
  latest: number;
}

export type ReplicationState = 'replicating' | 'missing-in-target' | 'source-recreated';

export interface PartitionHealth {
  topic: string;
  partition: number;
  /** Records that the target does not have yet; with identity policy and a fresh target both logs share their offsets. */
  lag: number;
  state: ReplicationState;
}

/**
 * Compares the logs of two regions. A source that ends before its mirror was truncated or recreated: MirrorMaker goes on without a word
 * and skips records (apache/kafka#22848, #23117), so this is an alarm of ours.
 */
export function replicationHealth(
  source: readonly PartitionRange[],
  target: readonly PartitionRange[],
): PartitionHealth[] {
  const mirrored = new Map(target.map((range) => [`${range.topic}/${range.partition}`, range]));
  return source.map(({ topic, partition, earliest, latest }) => {
    const mirror = mirrored.get(`${topic}/${partition}`);
    if (mirror === undefined) return { topic, partition, lag: latest - earliest, state: 'missing-in-target' };
    if (mirror.latest > latest) return { topic, partition, lag: 0, state: 'source-recreated' };
    return { topic, partition, lag: latest - mirror.latest, state: 'replicating' };
  });
}
