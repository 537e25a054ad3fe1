import type { Socket } from 'node:net';
import { startRelay } from './relay.ts';

/** Passes everything on until `swallow`; from then on the connections that are open pass nothing, and stay open: a router has lost its table. */
export async function swallowingProxy(databaseUrl: string) {
  let swallowed: ReadonlySet<Socket> = new Set();
  const relay = await startRelay(databaseUrl, (client, upstream) => {
    client.on('data', (bytes) => swallowed.has(client) || upstream.write(bytes));
    upstream.on('data', (bytes) => swallowed.has(upstream) || client.write(bytes));
  });
  return {
    /** The database behind the proxy. */
    url: relay.url,
    swallow() {
      swallowed = new Set(relay.sockets);
    },
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}
