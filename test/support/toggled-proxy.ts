import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { linkSockets } from './linked-sockets.ts';

/** A TCP proxy before a server that is shared with other tests: only those behind the proxy see the outage. */
export interface ToggledProxy {
  /** host:port. */
  address: string;
  /** Cuts all connections and refuses new ones by closing them at once. */
  interrupt(): void;
  /** Takes connections, and lets nothing through in either direction: a firewall that drops, a host that hangs. */
  silence(): void;
  /** Ends the connections that were silent, so that their clients find out. */
  resume(): void;
  close(): Promise<void>;
}

export async function startToggledProxy(target: string): Promise<ToggledProxy> {
  const { hostname, port } = new URL(target.includes('://') ? target : `http://${target}`);
  const sockets = new Set<Socket>();
  let up = true;
  let silent = false;
  const mute: Socket[] = [];
  const server = createServer((client) => {
    if (!up) return void client.destroy();
    if (silent) {
      client.on('error', () => client.destroy());
      mute.push(client);
      return;
    }
    const upstream = connect(Number(port), hostname);
    linkSockets(sockets, client, upstream);
    client.pipe(upstream).pipe(client);
  });
  await listen(server);
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    interrupt() {
      up = false;
      cut();
    },
    silence() {
      silent = true;
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    resume() {
      if (silent) cut();
      for (const client of mute.splice(0)) client.destroy();
      silent = false;
      up = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
        for (const client of mute.splice(0)) client.destroy();
      }),
  };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
}
