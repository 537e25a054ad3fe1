import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { connect, TLSSocket } from 'node:tls';
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
  const join = (client: Socket, upstream: Socket) => {
    client.on('data', pass(client, upstream));
    upstream.on('data', pass(upstream, client));
  };
  const caFile = new URL(databaseUrl).searchParams.get('sslrootcert');
  const relay = await startRelay(databaseUrl, (client, upstream) => {
    if (fatal === undefined || caFile === null) join(client, upstream);
    else endTls(client, upstream, caFile, join);
  });
  return {
    url: relay.url,
    swallow() {
      for (const socket of relay.sockets) swallowed.add(socket);
    },
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}

/** Ends the TLS of both sides, to read what passes, with the certificate of the stack's server, which is beside its authority. */
function endTls(
  client: Socket,
  upstream: Socket,
  caFile: string,
  join: (client: Socket, upstream: Socket) => void,
): void {
  const own = (name: string) => readFileSync(path.join(path.dirname(caFile), name));
  // PostgreSQL's SSLRequest is answered by one letter, in clear text; TLS begins behind it.
  client.once('data', (request) => {
    upstream.write(request);
    upstream.once('data', (letter) => {
      client.write(letter);
      const ofClient = new TLSSocket(client, { isServer: true, key: own('server.key'), cert: own('server.pem') });
      const ofServer = connect({ socket: upstream, ca: readFileSync(caFile), host: '127.0.0.1' });
      // The relay ends one side with the other.
      for (const socket of [ofClient, ofServer]) socket.on('error', () => {});
      join(ofClient, ofServer);
    });
  });
}
