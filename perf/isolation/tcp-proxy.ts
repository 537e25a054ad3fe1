// A TCP proxy before the Pub/Sub emulator that refuses connections or delays every answer. Started by cloud.ts.

import { createServer, connect as openSocket, type Server, type Socket } from 'node:net';

export interface TcpProxy {
  /** host:port. */
  readonly address: string;
  /** Bytes that are held on all connections. */
  readonly heldBytes: number;
  /** Ends all connections and stops listening: who connects is refused. */
  refuse(): Promise<void>;
  /** From now on each piece that the server sends reaches its client that many milliseconds later, in order. */
  slow(delayMs: number): void;
  /** Listens again, and passes on at once what it holds. */
  pass(): Promise<void>;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/** @param target host:port of the server */
export async function startTcpProxy(port: number, target: string): Promise<TcpProxy> {
  const { hostname, port: targetPort } = new URL(`http://${target}`);
  const sockets = new Set<Socket>();
  const answers = new Set<DelayedAnswers>();
  let delayMs = 0;

  const server = createServer((client) => {
    const upstream = openSocket(Number(targetPort), hostname);
    const delayed = new DelayedAnswers(client, () => delayMs);
    answers.add(delayed);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      // An error is followed by `close`, which ends the other side too.
      socket.on('error', () => {});
    }
    client.pipe(upstream);
    upstream.on('data', (piece) => delayed.push(piece));
    upstream.on('end', () => delayed.end());
    client.on('close', () => {
      delayed.drop();
      answers.delete(delayed);
      sockets.delete(client);
      upstream.destroy();
    });
    upstream.on('close', () => {
      sockets.delete(upstream);
      delayed.end();
    });
  });
  await listen(server, port);

  return {
    address: `${HOST}:${port}`,
    get heldBytes() {
      return [...answers].reduce((sum, each) => sum + each.bytes, 0);
    },
    async refuse() {
      await unlisten(server, sockets);
    },
    slow(ms) {
      delayMs = ms;
    },
    async pass() {
      delayMs = 0;
      for (const each of answers) each.flush();
      if (!server.listening) await listen(server, port);
    },
    async close() {
      await unlisten(server, sockets);
    },
  };
}

/** Holds what the server answers on one connection until it is due. */
class DelayedAnswers {
  readonly #client: Socket;
  readonly #delayMs: () => number;
  #held: { dueAt: number; piece: Buffer | 'end' }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Socket, delayMs: () => number) {
    this.#client = client;
    this.#delayMs = delayMs;
  }

  get bytes(): number {
    return this.#held.reduce((sum, { piece }) => sum + (piece === 'end' ? 0 : piece.length), 0);
  }

  push(piece: Buffer): void {
    this.#hold(piece);
  }

  /** Ends the connection behind the last piece. */
  end(): void {
    this.#hold('end');
  }

  /** Sends everything now. */
  flush(): void {
    for (const each of this.#held) each.dueAt = 0;
    this.#send();
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.#held = [];
  }

  #hold(piece: Buffer | 'end'): void {
    this.#held.push({ dueAt: performance.now() + this.#delayMs(), piece });
    this.#send();
  }

  #send(): void {
    clearTimeout(this.#timer);
    for (let next = this.#held[0]; next !== undefined; next = this.#held[0]) {
      const waitMs = next.dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#send(), waitMs);
        return;
      }
      this.#held.shift();
      if (next.piece === 'end') this.#client.end();
      else if (this.#client.writable) this.#client.write(next.piece);
    }
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function unlisten(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}
