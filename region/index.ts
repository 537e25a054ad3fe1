/** The room's door: what other rooms import. */
export { inActiveRegion } from './active-role.ts';
export { type Activity, watchActivity } from './activity.ts';
export { orphanTest } from './divergence.ts';
export { assertFlips } from './dns/flip.ts';
export { mirrorProperties } from './mirror-config.ts';
export { startMirror } from './mirror-role.ts';
export { javaClientProperties, propertyValue } from './mirror-security.ts';
export { createRegionTopic, newestState, readRegion, writeRegionState } from './region-state.ts';
export { pairOf } from './regions.ts';
