import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { linkSockets } from './linked-sockets.ts';

export interface Relay extends AsyncDisposable {
  /** The target's URL with the address of the relay. */
  url: string;
  /** Both ends of each open connection. */
  sockets: ReadonlySet<Socket>;
}

/**
 * A TCP server in front of `targetUrl`, with one connection to the target for each client.
 * @param pass called for each pair of connections; passes on what should pass. When one of the two ends, the relay ends the other.
 */
export function startRelay(targetUrl: string, pass: (client: Socket, upstream: Socket) => void): Promise<Relay> {
  const target = new URL(targetUrl);
  return listenBefore(targetUrl, (client, sockets) => {
    const upstream = connect(Number(target.port), target.hostname);
    linkSockets(sockets, client, upstream);
    pass(client, upstream);
  });
}

/** Takes connections in the place of the server of a URL, and leaves it to `take` where they lead. */
export async function listenBefore(
  targetUrl: string,
  take: (client: Socket, sockets: Set<Socket>) => void,
): Promise<Relay> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => take(client, sockets));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(targetUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
