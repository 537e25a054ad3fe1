// The ways to hand orders to a gateway: HTTP, WebSocket and gRPC behind one interface. Used by sender.ts.

import { connectHttp } from './http.ts';
import { connectStreams } from './streams.ts';
import type { Answer, GatewayConnection } from './types.ts';
import { openWebSocket } from './websocket.ts';

export const transports = ['http', 'ws', 'grpc'] as const;
export type Via = (typeof transports)[number];

export interface ConnectOptions {
  via: Via;
  /** For gRPC the address of its own port. */
  gateway: URL;
  /** Over HTTP the most connections in all; over WebSocket and gRPC the most of one token. */
  connections: number;
  /** Longest wait for one answer, in milliseconds. */
  timeoutMs: number;
}

export function connectGateway({ via, gateway, connections, timeoutMs }: ConnectOptions): GatewayConnection {
  if (via === 'http') return connectHttp(gateway, connections, timeoutMs);
  const limits = { connections, timeoutMs };
  if (via === 'ws') return connectStreams((token, events) => openWebSocket(gateway, token, events), limits);
  // Loaded only where it is used: grpc-js takes longer to load than most commands.
  const loading = import('./grpc.ts').then(({ openGrpcStream }) =>
    connectStreams((token, events) => openGrpcStream(gateway, token, events), limits),
  );
  return {
    post: async (body, token): Promise<Answer> => (await loading).post(body, token),
    close: () => void loading.then((connection) => connection.close()),
  };
}

/** @throws when nothing takes gRPC connections there in time */
export async function assertGrpcAnswers(gateway: URL, timeoutMs: number): Promise<void> {
  const { assertReachable } = await import('./grpc.ts');
  return assertReachable(gateway, timeoutMs);
}
