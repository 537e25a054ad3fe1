import { ORDER_ID_LENGTH } from '../orders/order-key.ts';

const HOLE = ' '.repeat(ORDER_ID_LENGTH);

/**
 * The answer to an accepted order, written once; only the orderId changes. Every call into uWebSockets.js costs more than the bytes do, and a
 * text more than bytes, so status and headers are one piece: uWebSockets.js takes whatever follows the status as it is.
 */
export class AcceptedAnswer {
  readonly head: Buffer;
  readonly body: Buffer;
  readonly #headIdAt: number;
  readonly #bodyIdAt: number;

  /** Takes the headers beside the content type and the Location, each with its line end. */
  constructor(headers: string) {
    const head = `202 Accepted\r\ncontent-type: application/json\r\n${headers}location: /v1/orders/`;
    const body = '{"orderId":"';
    this.head = Buffer.from(head + HOLE);
    this.body = Buffer.from(`${body}${HOLE}","status":"accepted"}`);
    this.#headIdAt = head.length;
    this.#bodyIdAt = body.length;
  }

  /** Makes it the answer for this order, until the next call. An orderId is a UUID by now: nothing can be smuggled into the head. */
  fill(orderId: string): void {
    const { head, body } = this;
    for (let at = 0; at < ORDER_ID_LENGTH; at += 1) {
      const code = orderId.charCodeAt(at);
      head[this.#headIdAt + at] = code;
      body[this.#bodyIdAt + at] = code;
    }
  }
}
