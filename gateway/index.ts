/** The room's door: what other rooms import. */
export { startGatewayGroup } from './cluster/cluster.ts';
export { startGateway } from './gateway.ts';
export { messageType } from './grpc/definition.ts';
export { decodedOrder, type Intake, IntakeRefusal } from './orders/intake.ts';
export { startIntakeServer } from './server.ts';
export type { KnownOrder, StatusLookup } from './status/status-reader.ts';
export type { ShowVitals } from './vitals.ts';
export type { Stream } from './websocket/stream.ts';
