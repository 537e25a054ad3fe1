import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { parseArgs } from 'node:util';

/**
 * A closed-loop HTTP load generator: every connection sends its next order as soon as it has the answer to the last. Runs as a process of
 * its own and prints one JSON line. It writes bytes that were prepared before and only looks at the status and length of an answer, because what it
 * burns is missing on the side that is measured.
 *
 *   node perf/load/closed-loop.ts --url http://127.0.0.1:8080/v1/orders --connections 128 --seconds 5 --token T < order.json
 */
export interface LoadResult {
  /** Answers with status 202 a second, the warm-up left out. */
  acceptedPerSecond: number;
  /** Answers by status, in the counted time. */
  statuses: Record<string, number>;
  latencyMs: { p50: number; p99: number; max: number };
}

interface Load {
  url: URL;
  connections: number;
  warmUpMs: number;
  countedMs: number;
  token: string | undefined;
  /** The order as JSON; its orderId is replaced by a new one for every request. */
  order: string;
}

/** Latencies are counted in buckets of 0.1 ms up to 10 s: exact enough for a percentile, and nothing to sort. */
const BUCKETS_PER_MS = 10;
const buckets = new Uint32Array(10_000 * BUCKETS_PER_MS + 1);

export async function runLoad(load: Load): Promise<LoadResult> {
  const statuses: Record<string, number> = {};
  const startsAt = performance.now() + load.warmUpMs;
  const endsAt = startsAt + load.countedMs;
  let maxMs = 0;
  const record = (status: string, sentAt: number, now: number) => {
    if (now < startsAt || now >= endsAt) return;
    statuses[status] = (statuses[status] ?? 0) + 1;
    const latencyMs = now - sentAt;
    maxMs = Math.max(maxMs, latencyMs);
    const bucket = Math.min(buckets.length - 1, Math.floor(latencyMs * BUCKETS_PER_MS));
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  };
  const connections = Array.from({ length: load.connections }, (_, index) =>
    runConnection(load, index, endsAt, record),
  );
  await Promise.all(connections);
  return {
    acceptedPerSecond: Math.round((statuses['202'] ?? 0) / (load.countedMs / 1_000)),
    statuses,
    latencyMs: { p50: percentile(0.5), p99: percentile(0.99), max: Math.round(maxMs) },
  };
}

function runConnection(
  load: Load,
  index: number,
  endsAt: number,
  record: (status: string, sentAt: number, now: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new OrderRequest(load, index);
    const socket: Socket = connect(Number(load.url.port), load.url.hostname);
    let sentAt = 0;
    let received = '';
    const send = () => {
      sentAt = performance.now();
      socket.write(request.next());
    };
    socket.setNoDelay(true);
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (!isWhole(received)) return;
      const now = performance.now();
      record(received.slice(9, 12), sentAt, now);
      received = '';
      if (now < endsAt) send();
      else socket.destroy();
    });
  });
}

/** One request's bytes, in which only the orderId changes: a fixed random part per connection and a counter. */
class OrderRequest {
  readonly #bytes: Buffer;
  readonly #counterAt: number;
  #counter = 0;

  constructor({ url, order, token }: Load, index: number) {
    const orderId = `${randomUUID().slice(0, 24)}${index.toString(16).padStart(4, '0')}00000000`;
    const body = order.replace(/"orderId":"[^"]*"/, `"orderId":"${orderId}"`);
    const head = [
      `POST ${url.pathname} HTTP/1.1`,
      `Host: ${url.host}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ].join('\r\n');
    this.#bytes = Buffer.from(`${head}\r\n\r\n${body}`);
    this.#counterAt = this.#bytes.indexOf(orderId) + 28;
  }

  next(): Buffer {
    // The socket may still hold the bytes of an earlier write only while its answer is missing, and then nothing is sent.
    this.#counter += 1;
    this.#bytes.write(this.#counter.toString(16).padStart(8, '0'), this.#counterAt, 'latin1');
    return this.#bytes;
  }
}

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd < 0) return false;
  const length = /content-length: (\d+)/i.exec(answer);
  return answer.length >= headEnd + 4 + Number(length?.[1] ?? 0);
}

function percentile(fraction: number): number {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (const [bucket, count] of buckets.entries()) {
    seen += count;
    if (seen >= total * fraction && count > 0) return (bucket + 1) / BUCKETS_PER_MS;
  }
  return 0;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:8080/v1/orders' },
      connections: { type: 'string', default: '128' },
      seconds: { type: 'string', default: '5' },
      'warm-up': { type: 'string', default: '1' },
      token: { type: 'string' },
    },
  });
  let order = '';
  for await (const chunk of process.stdin) order += chunk;
  const result = await runLoad({
    url: new URL(values.url),
    connections: Number(values.connections),
    warmUpMs: Number(values['warm-up']) * 1_000,
    countedMs: Number(values.seconds) * 1_000,
    token: values.token,
    order: order.trim(),
  });
  console.log(JSON.stringify(result));
}
