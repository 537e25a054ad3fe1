import { openSocket } from '../../store/database/connection/open-socket.ts';
import { linkSockets } from '../support/linked-sockets.ts';
import { listenBefore, type Relay } from '../support/relay.ts';

/** Length and protocol version. */
const STARTUP_HEAD_BYTES = 8;

/** A proxy in front of PostgreSQL that drops one startup parameter, like a pooler that is configured to ignore it. TLS ends at the proxy. */
export async function startForgetfulPooler(databaseUrl: string, parameter: string): Promise<Relay> {
  const proxy = await listenBefore(databaseUrl, (client, sockets) => {
    client.once('data', async (startup) => {
      client.pause();
      const upstream = await openSocket(databaseUrl, AbortSignal.timeout(10_000));
      linkSockets(sockets, client, upstream);
      upstream.write(without(startup, parameter));
      client.pipe(upstream);
      upstream.pipe(client);
    });
  });
  const url = new URL(proxy.url);
  url.searchParams.set('sslmode', 'disable');
  return { ...proxy, url: url.href };
}

/** A StartupMessage (PostgreSQL manual, "Message Formats"): names and values, each ended by a zero, and one more zero. */
function without(startup: Buffer, parameter: string): Buffer {
  const parts = startup.toString('latin1', STARTUP_HEAD_BYTES, startup.length - 2).split('\0');
  const kept = parts.filter((_, index) => parts[index - (index % 2)] !== parameter);
  const body = Buffer.from(`${kept.join('\0')}\0\0`, 'latin1');
  const head = Buffer.from(startup.subarray(0, STARTUP_HEAD_BYTES));
  head.writeInt32BE(STARTUP_HEAD_BYTES + body.length);
  return Buffer.concat([head, body]);
}
