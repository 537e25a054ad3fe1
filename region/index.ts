/** The room's door: what other rooms import. */
export { inActiveRegion } from './active-role.ts';
export { type Activity, watchActivity } from './activity.ts';
export { orphanTest, topicRanges } from './divergence.ts';
export { assertFlips } from './dns/flip.ts';
export { mirrorProperties } from './mirror-config.ts';
export { readProgress } from './mirror-offsets.ts';
export { startMirror } from './mirror-role.ts';
export { createRegionTopic, type RegionState, readRegion, writeRegionState } from './region-state.ts';
export { pairOf } from './regions.ts';
export { type PartitionHealth, type PartitionRange, replicationHealth } from './replication-health.ts';
