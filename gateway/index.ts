/** The door of the gateway: what other rooms import. `identity/index.ts` is its second door, for commands that need only tokens. */

// For `ordermesh gateway`: one process, or a cluster of them.
export { startGatewayCluster } from './cluster/cluster.ts';
export { startGateway } from './gateway.ts';
// For the load over gRPC, which encodes its orders itself.
export { messageType as grpcMessageType } from './grpc/definition.ts';
export { MenuRefusal, type MenuSource } from './menus/menu-source.ts';
// For the edge agent, which is the gateway's server with a spool as its intake.
export { decodedOrder, type Intake, IntakeRefusal } from './orders/intake.ts';
export { startIntakeServer } from './server.ts';
export type { KnownOrder, StatusLookup } from './status/status-reader.ts';
export type { ShowVitals } from './vitals.ts';
export type { Stream as OrderStream } from './websocket/stream.ts';
