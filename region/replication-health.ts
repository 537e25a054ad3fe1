// Judges how far a mirror is behind, and what is wrong with its source. Called by the mirror and by `ordermesh region`.

/** First offset of one partition, and the offset behind its last record. */
export interface PartitionRange {
  topic: string;
  partition: number;
  earliest: number;
  latest: number;
}

/** Faults of a source that MirrorMaker does not report (apache/kafka#22848, #23117). */
export const sourceFaults = ['truncated', 'recreated', 'skipped'] as const;

export type SourceFault = (typeof sourceFaults)[number];

export interface PartitionHealth {
  topic: string;
  partition: number;
  /** Records of the source that were not copied yet. */
  lag: number;
  /**
   * `truncated`: the source ends before what was copied. `recreated`: its topic was deleted and created again. `skipped`: records were deleted
   * from the source before they were copied. `standing`: nothing is copied although it should have been by now.
   */
  state: 'replicating' | 'standing' | SourceFault;
}

export interface ReplicationEvidence {
  source: readonly PartitionRange[];
  /** By topic and partition, the source's offset that is copied next; absent before the first record. */
  mirrored: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** Ids of the source's topics, when the mirror began and now. */
  topicIds?: { begun: Readonly<Record<string, string>>; now: ReadonlyMap<string, string> };
  /** By topic and partition, the source's offset before which everything should have been copied by now. Given for a mirror that has written no progress for a while. */
  due?: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

/** Judges how a mirror keeps up with its source. `mirrored` must have been read before `source`, or a busy source seems to be truncated. */
export function replicationHealth({ source, mirrored, topicIds, due }: ReplicationEvidence): PartitionHealth[] {
  return source.map(({ topic, partition, earliest, latest }) => {
    const begun = topicIds?.begun[topic];
    const now = topicIds?.now.get(topic);
    const next = mirrored.get(topic)?.get(partition);
    const lag = Math.max(0, latest - Math.max(earliest, next ?? earliest));
    if (begun !== undefined && now !== undefined && begun !== now) return { topic, partition, lag, state: 'recreated' };
    if (next !== undefined && next > latest) return { topic, partition, lag: 0, state: 'truncated' };
    if (next !== undefined && next < earliest) return { topic, partition, lag, state: 'skipped' };
    if (lag > 0 && Math.max(earliest, next ?? earliest) < (due?.get(topic)?.get(partition) ?? 0))
      return { topic, partition, lag, state: 'standing' };
    return { topic, partition, lag, state: 'replicating' };
  });
}
