import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PromptIntake } from './prompt-intake.ts';
import { sampleOrder, startServerOn, type TestServer } from './support.ts';

const intake = new PromptIntake();
let gateway: TestServer;
let authorization: string;
beforeAll(async () => {
  gateway = await startServerOn(intake);
  authorization = await gateway.bearer();
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** All that the gateway sends until it closes the connection. */
function exchange(text: string): Promise<string> {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on('data', (data) => {
      answer += data.toString('latin1');
    });
    socket.once('close', () => resolve(answer));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(answer) : reject(error),
    );
  });
}

const body = JSON.stringify(sampleOrder());
const smuggled =
  `POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: AUTHORIZATION\r\nContent-Type: application/json\r\n` +
  `Content-Length: ${body.length}\r\n\r\n${body}`;

test.each([
  ['xchunked', 'Transfer-Encoding: xchunked'],
  ['gzip', 'Transfer-Encoding: gzip'],
  ['a list', 'Transfer-Encoding: identity, chunked'],
  ['two of them', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity'],
  ['xchunked, to the batch', 'Transfer-Encoding: xchunked', 'POST /v1/orders/batch'],
  ['xchunked, to a status', 'Transfer-Encoding: xchunked', `GET /v1/orders/${crypto.randomUUID()}`],
  ['two, to a document', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: x', 'GET /openapi.json'],
  ['xchunked, to nothing', 'Transfer-Encoding: xchunked', 'GET /nope'],
  ['xchunked, to a wrong method', 'Transfer-Encoding: xchunked', 'DELETE /v1/orders'],
  ['xchunked, to the stream', 'Transfer-Encoding: xchunked', 'GET /v1/stream'],
])(
  'a request with an unknown transfer coding (%s) gets 501, and bytes after it are not served',
  async (_name: string, header: string, line?: string) => {
    const isBatch = line?.endsWith('batch') === true;
    const answer = await exchange(
      `${line ?? 'POST /v1/orders'} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n` +
        `Content-Type: ${isBatch ? 'application/x-ndjson' : 'application/json'}\r\n${header}\r\n\r\n0\r\n\r\n` +
        smuggled.replace('AUTHORIZATION', authorization).repeat(2),
    );
    expect(answer.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 501']);
    expect(answer.toLowerCase()).toContain('content-type: application/problem+json');
    expect(answer).toContain('"code":"unknown-transfer-coding"');
    expect(intake.taken).toEqual([]);
  },
);

test('upgrades with an unknown transfer coding are refused', async () => {
  const answer = await exchange(
    `GET /v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Protocol: ordermesh.v1.json\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
  );
  expect(answer.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 501']);
});

test('plain chunks are taken', async () => {
  const order = JSON.stringify(sampleOrder());
  const answer = await gateway.call('/v1/orders', {
    method: 'POST',
    body: new Blob([order]).stream(),
    duplex: 'half',
  } as RequestInit);
  expect(answer.status).toBe(202);
});
