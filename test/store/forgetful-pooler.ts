import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface ForgetfulPooler extends AsyncDisposable {
  url: string;
}

/** Length and protocol version. */
const STARTUP_HEAD_BYTES = 8;

/** A proxy before PostgreSQL that leaves one startup parameter out, as a pooler does that is told to ignore it. */
export async function startForgetfulPooler(databaseUrl: string, parameter: string): Promise<ForgetfulPooler> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      // Either end of the pair ends the other.
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
    client.once('data', (startup) => {
      upstream.write(without(startup, parameter));
      client.pipe(upstream);
    });
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
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
