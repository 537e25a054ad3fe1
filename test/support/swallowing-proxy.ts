import type { Socket } from 'node:net';
import { startRelay } from './relay.ts';

/** A TCP proxy in front of PostgreSQL. */
export interface SwallowingProxy extends AsyncDisposable {
  /** The database behind the proxy. */
  url: string;
  /** From now on nothing passes on the connections that are open, as after a router has lost its table; new connections pass. */
  swallow(): void;
}

/** @param fatal once a client has sent this text, nothing that this client sends is passed on: to the client the server has stopped */
export async function swallowingProxy(databaseUrl: string, fatal?: string): Promise<SwallowingProxy> {
  const swallowed = new Set<Socket>();
  const pass = (from: Socket, to: Socket) => (bytes: Buffer) => {
    if (fatal !== undefined && bytes.includes(fatal)) swallowed.add(from);
    if (!swallowed.has(from)) to.write(bytes);
  };
  const relay = await startRelay(databaseUrl, (client, upstream) => {
    client.on('data', pass(client, upstream));
    upstream.on('data', pass(upstream, client));
  });
  return {
    url: relay.url,
    swallow() {
      for (const socket of relay.sockets) swallowed.add(socket);
    },
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}
