import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, connect as openSocket, type Socket } from 'node:net';
import path from 'node:path';
import { createServer as createTlsServer, connect as openTls } from 'node:tls';
import { answeredRequest, apiKeys, FrameCutter, type RequestKind, requestHead } from '../../lab/chaos/wire/frames.ts';

/** How an answer is lost: the connection ends in its place, or it never comes and the connection stays. */
export type Loss = 'connection closed' | 'never answered';

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
  /** Loses the answer to the next such request of the client with this id. Resolves when it is lost: the broker has done what was asked. */
  loseAnswer(api: RequestKind, loss: Loss, clientId: string): Promise<void>;
  /** Changes the answers to such requests until the next call; `undefined` ends the change. */
  alterAnswers(api: RequestKind, alter: ((frame: Buffer) => Buffer) | undefined): void;
  /** Produce requests that passed since the start. */
  readonly produceRequests: number;
}

interface Expected {
  apiKey: number;
  loss: Loss;
  clientId: string;
  lost: () => void;
}

/**
 * @param caFile the authority of a broker of the stack that takes TLS; the proxy then ends TLS with the broker's own certificate, which is beside
 * it, because it has to read what passes
 */
export async function startKafkaProxy(broker: string, caFile = process.env.KAFKA_SSL_CA_FILE): Promise<KafkaProxy> {
  const [host = '127.0.0.1', port = '9092'] = broker.split(':');
  const pairs = new Set<[Socket, Socket]>();
  let mode: 'pass' | 'cut' | 'drop-answers' = 'pass';
  let produceRequests = 0;
  let rewrite = (frame: Buffer): Buffer => frame;
  let expected: Expected[] = [];
  const alterations = new Map<number, (frame: Buffer) => Buffer>();

  const connected = (client: Socket) => {
    if (mode === 'cut') {
      client.destroy();
      return;
    }
    const upstream =
      caFile === undefined
        ? openSocket(Number(port), host)
        : openTls({ port: Number(port), host, ca: readFileSync(caFile) });
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
    const losing = new Map<number, Expected>();
    const asked = new Map<number, number>();
    onFrames(client, (frame) => {
      const { apiKey, correlationId, clientId } = requestHead(frame);
      if (apiKey === apiKeys.Produce) produceRequests++;
      const loss = expected.find((one) => one.apiKey === apiKey && one.clientId === clientId);
      if (loss !== undefined) {
        expected = expected.filter((one) => one !== loss);
        losing.set(correlationId, loss);
      }
      asked.set(correlationId, apiKey);
      upstream.write(frame);
    });
    onFrames(upstream, (frame) => {
      if (mode === 'drop-answers') return;
      const correlationId = answeredRequest(frame);
      const loss = losing.get(correlationId);
      if (loss !== undefined) {
        losing.delete(correlationId);
        if (loss.loss === 'connection closed') client.end();
        loss.lost();
        return;
      }
      const apiKey = asked.get(correlationId);
      asked.delete(correlationId);
      const alter = apiKey === undefined ? undefined : alterations.get(apiKey);
      client.write(rewrite(alter === undefined ? frame : alter(frame)));
    });
  };
  const server = caFile === undefined ? createServer(connected) : createTlsServer(ownTls(caFile), connected);
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
    loseAnswer(api, loss, clientId) {
      const { promise, resolve } = Promise.withResolvers<void>();
      expected.push({ apiKey: apiKeys[api], loss, clientId, lost: resolve });
      return promise;
    },
    alterAnswers(api, alter) {
      if (alter === undefined) alterations.delete(apiKeys[api]);
      else alterations.set(apiKeys[api], alter);
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

function ownTls(caFile: string): { key: Buffer; cert: Buffer } {
  const pem = readFileSync(path.join(path.dirname(caFile), 'broker.pem'));
  return { key: pem, cert: pem };
}

/** Calls back with each whole message. */
function onFrames(socket: Socket, onFrame: (frame: Buffer) => void): void {
  const cutter = new FrameCutter();
  socket.on('data', (piece) => cutter.push(piece, onFrame));
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
