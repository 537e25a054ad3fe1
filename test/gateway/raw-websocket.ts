import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** How the bytes of a frame begin (RFC 6455, section 5.2). */
export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface ReceivedFrame {
  opcode: number;
  payload: Buffer;
}

export interface RawOptions {
  /** Request headers besides those of the upgrade itself. */
  headers?: Record<string, string>;
  tls?: { ca: string; cert?: string; key?: string };
}

/** A WebSocket client that sends any bytes as frames, and answers nothing by itself. */
export class RawWebSocket implements Disposable {
  readonly frames: ReceivedFrame[] = [];
  readonly socket: Socket;
  /** The answer to the upgrade, without its body. */
  readonly head: Promise<string>;
  readonly closed: Promise<void>;
  #bytes: Buffer = Buffer.alloc(0);
  #open = false;

  /** @param url of the gateway */
  constructor(url: string, protocol: string, { headers = {}, tls }: RawOptions = {}) {
    const { hostname, port } = new URL(url);
    const socket =
      tls === undefined
        ? connectTcp(Number(port), hostname)
        : connectTls({ host: hostname, port: Number(port), ...tls });
    this.socket = socket;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.head = promise;
    promise.catch(() => {});
    this.closed = new Promise((done) => socket.on('close', () => done()));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed before the upgrade was answered')));
    socket.on('data', (data: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, data]);
      if (!this.#open) {
        const end = this.#bytes.indexOf('\r\n\r\n');
        if (end === -1) return;
        resolve(this.#bytes.toString('latin1', 0, end));
        this.#bytes = this.#bytes.subarray(end + 4);
        this.#open = true;
      }
      this.#read();
    });
    const lines = Object.entries({
      host: 'gateway',
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-protocol': protocol,
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET /v1/stream HTTP/1.1\r\n${lines.join('')}\r\n`);
  }

  /** A frame as a client must write it: masked, in one piece. */
  send(code: number, payload: string | Uint8Array): void {
    this.socket.write(frame(code, payload));
  }

  submit(id: number, order: object): void {
    this.send(opcode.text, JSON.stringify({ id, type: 'order.submit', order }));
  }

  /** The messages in text frames so far. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read what the server answered.
  get messages(): any[] {
    return this.frames.filter((one) => one.opcode === opcode.text).map(({ payload }) => JSON.parse(String(payload)));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #read(): void {
    for (;;) {
      const size = (this.#bytes[1] ?? 0) & 0x7f;
      const start = size === 126 ? 4 : size === 127 ? 10 : 2;
      if (this.#bytes.length < start) return;
      const length =
        size === 126 ? this.#bytes.readUInt16BE(2) : size === 127 ? Number(this.#bytes.readBigUInt64BE(2)) : size;
      if (this.#bytes.length < start + length) return;
      this.frames.push({
        opcode: (this.#bytes[0] ?? 0) & 0x0f,
        payload: Buffer.from(this.#bytes.subarray(start, start + length)),
      });
      this.#bytes = this.#bytes.subarray(start + length);
    }
  }
}

export interface FrameShape {
  isLast?: boolean;
  isMasked?: boolean;
  reserved?: number;
}

export function frame(
  code: number,
  payload: string | Uint8Array,
  { isLast = true, isMasked = true, reserved = 0 }: FrameShape = {},
): Buffer {
  const bytes = Buffer.from(payload);
  const { length } = bytes;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (isLast ? 0x80 : 0) | (reserved << 4) | code;
  head[1] = (isMasked ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  if (!isMasked) return Buffer.concat([head, bytes]);
  const mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  for (let at = 0; at < length; at++) bytes[at] = (bytes[at] ?? 0) ^ (mask[at % 4] ?? 0);
  return Buffer.concat([head, mask, bytes]);
}
