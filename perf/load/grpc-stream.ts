import { randomUUID } from 'node:crypto';
import { connect } from 'node:http2';
import { parseArgs } from 'node:util';
import { grpcMessageType } from '../../gateway/index.ts';

/**
 * Loads `SubmitStream` in a closed loop: each stream keeps as many orders unanswered as it may, and sends one more for each answer. On bare
 * HTTP/2 with one encoded order whose orderId is replaced, so that the load takes as little as possible from the side that is measured.
 * Reads the order (the message of the proto, as JSON) from standard input; prints `{"acceptedPerSecond":n,"refused":n}`.
 */
const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8081' },
    connections: { type: 'string', default: '4' },
    unanswered: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '4' },
    token: { type: 'string', default: '' },
  },
});

const WARM_UP_MS = 2_000;
const HEAD_BYTES = 5;

const order = JSON.parse(await text(process.stdin)) as { orderId: string };
const message = Buffer.from(grpcMessageType('ordermesh.v1.SubmitStreamRequest').serialize({ id: 1, order }));
const frame = Buffer.alloc(HEAD_BYTES + message.length);
frame.writeUInt32BE(message.length, 1);
message.copy(frame, HEAD_BYTES);
const idAt = frame.indexOf(order.orderId);
const answerType = grpcMessageType('ordermesh.v1.SubmitStreamResponse');

let accepted = 0;
let refused = 0;
/** Ids count up behind a random beginning: cheaper to make than random ones. */
const prefix = randomUUID().slice(0, 24);
let sequence = 0;

function orders(count: number): Buffer {
  const bytes = Buffer.allocUnsafe(frame.length * count);
  for (let at = 0; at < bytes.length; at += frame.length) {
    frame.copy(bytes, at);
    sequence++;
    bytes.write(prefix + sequence.toString(16).padStart(12, '0'), at + idAt, 'latin1');
  }
  return bytes;
}

function openStream(): () => void {
  const session = connect(values.url);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/ordermesh.v1.Orders/SubmitStream',
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization: `Bearer ${values.token}`,
  });
  let rest: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    let answers = 0;
    while (at + HEAD_BYTES <= bytes.length) {
      const end = at + HEAD_BYTES + bytes.readUInt32BE(at + 1);
      if (end > bytes.length) break;
      // An answer without an error is the id and the accepted order: the tag of field 2 follows the id's two bytes.
      if (bytes[at + HEAD_BYTES + 2] === 0x12) accepted++;
      else refuse(answerType.deserialize(bytes.subarray(at + HEAD_BYTES, end)));
      answers++;
      at = end;
    }
    rest = bytes.subarray(at);
    if (answers > 0 && !stream.closed) stream.write(orders(answers));
  });
  stream.on('trailers', (trailers) => {
    if (trailers['grpc-status'] !== '0') throw new Error(`the stream ended: ${trailers['grpc-message']}`);
  });
  stream.write(orders(Number(values.unanswered)));
  return () => session.destroy();
}

function refuse(answer: object): void {
  if (refused === 0) console.error(`refused: ${JSON.stringify(answer)}`);
  refused++;
}

const streams = Array.from({ length: Number(values.connections) }, openStream);
await passed(WARM_UP_MS);
const before = accepted;
const startedAt = performance.now();
await passed(Number(values.seconds) * 1_000);
const elapsedS = (performance.now() - startedAt) / 1_000;
console.log(JSON.stringify({ acceptedPerSecond: Math.round((accepted - before) / elapsedS), refused }));
for (const close of streams) close();

function passed(timeMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, timeMs));
}

async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += chunk;
  return all;
}
