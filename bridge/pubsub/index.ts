/** A door of the room: what other rooms import. */
export { createPubSub, type GoogleCloudNames, googleCloudAddress, googleCloudNames } from './google-cloud.ts';
export { ensureTopology } from './topology.ts';
