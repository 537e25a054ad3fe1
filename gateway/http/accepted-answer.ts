import { ORDER_ID_LENGTH } from '../orders/order-key.ts';

const HOLE = ' '.repeat(ORDER_ID_LENGTH);

/**
 * The answer to an accepted order, prepared once; only the orderId changes. A call into uWebSockets.js costs more than the bytes it
 * writes, and a string costs more than bytes. So status and headers are one buffer: uWebSockets.js writes it as the status line, unchanged.
 */
export class AcceptedAnswer {
  readonly head: Buffer;
  readonly body: Buffer;
  readonly #headIdAt: number;
  readonly #bodyIdAt: number;

  /** @param headers those besides Content-Type and Location, each with its line end */
  constructor(headers: string) {
    const head = `202 Accepted\r\ncontent-type: application/json\r\n${headers}location: /v1/orders/`;
    const body = '{"orderId":"';
    this.head = Buffer.from(head + HOLE);
    this.body = Buffer.from(`${body}${HOLE}","status":"accepted"}`);
    this.#headIdAt = head.length;
    this.#bodyIdAt = body.length;
  }

  /** Makes it the answer for this order, until the next call. The orderId must be checked to be a UUID, so that no client can inject headers. */
  fill(orderId: string): void {
    const { head, body } = this;
    for (let at = 0; at < ORDER_ID_LENGTH; at++) {
      const code = orderId.charCodeAt(at);
      head[this.#headIdAt + at] = code;
      body[this.#bodyIdAt + at] = code;
    }
  }
}
