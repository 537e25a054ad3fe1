import type { LogRange, TopicLook } from '../../kafka/index.ts';

/** A look at a topic with these ranges as its partitions. */
export const look = (logId: string, ...ranges: LogRange[]): TopicLook => ({
  clusterId: 'c',
  logId,
  partitions: ranges.length,
  ranges: new Map(ranges.map((range, partition) => [partition, range])),
});
export const from = (earliest: number, latest: number): LogRange => ({ earliest, latest });
