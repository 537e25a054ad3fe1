import { type AddressInfo, createServer, connect as openSocket, type Socket } from 'node:net';

/**
 * A TCP proxy before one Kafka broker, for faults on the wire. It rewrites the broker's advertised port in responses to its own, so
 * clients stay behind it.
 */
export interface KafkaProxy extends AsyncDisposable {
  /** The bootstrap address. */
  readonly address: string;
  /** Ends all connections and refuses new ones until `restore`. */
  cut(): void;
  /** Answers of the broker no longer reach the client, and its requests still reach the broker, until `restore`. */
  dropAnswers(): void;
  restore(): void;
  /** Produce requests that passed since the start. */
  readonly produceRequests: number;
}

const PRODUCE_API_KEY = 0;

export async function startKafkaProxy(broker: string): Promise<KafkaProxy> {
  const [host = '127.0.0.1', port = '9092'] = broker.split(':');
  const pairs = new Set<[Socket, Socket]>();
  let mode: 'pass' | 'cut' | 'drop-answers' = 'pass';
  let produceRequests = 0;
  let rewrite = (frame: Buffer): Buffer => frame;

  const server = createServer((client) => {
    if (mode === 'cut') {
      client.destroy();
      return;
    }
    const upstream = openSocket(Number(port), host);
    const pair: [Socket, Socket] = [client, upstream];
    pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
        pairs.delete(pair);
      });
    }
    onFrames(client, (frame) => {
      if (frame.readInt16BE(4) === PRODUCE_API_KEY) produceRequests += 1;
      upstream.write(frame);
    });
    onFrames(upstream, (frame) => {
      if (mode !== 'drop-answers') client.write(rewrite(frame));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = (server.address() as AddressInfo).port;
  rewrite = portRewriter(host, Number(port), own);

  function endAll(): void {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  }

  return {
    address: `127.0.0.1:${own}`,
    cut() {
      mode = 'cut';
      endAll();
    },
    dropAnswers() {
      mode = 'drop-answers';
    },
    restore() {
      // A connection that missed an answer is out of step with its client.
      if (mode === 'drop-answers') endAll();
      mode = 'pass';
    },
    get produceRequests() {
      return produceRequests;
    },
    async [Symbol.asyncDispose]() {
      endAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Calls back with each whole message: four bytes of length and as many bytes. */
function onFrames(socket: Socket, onFrame: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0);
      onFrame(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  });
}

/** In metadata and coordinator responses a broker stands as its host's text, then its port in four bytes. */
function portRewriter(host: string, from: number, to: number): (frame: Buffer) => Buffer {
  const pattern = Buffer.alloc(host.length + 4);
  pattern.write(host, 0, 'latin1');
  pattern.writeInt32BE(from, host.length);
  return (frame) => {
    let at = frame.indexOf(pattern);
    if (at < 0) return frame;
    const rewritten = Buffer.from(frame);
    for (; at >= 0; at = rewritten.indexOf(pattern, at + pattern.length)) rewritten.writeInt32BE(to, at + host.length);
    return rewritten;
  };
}
