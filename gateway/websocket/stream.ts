// A client's WebSocket connection. Created by stream-route.ts.

import type { WebSocket } from 'uWebSockets.js';
import { type Problem, problem } from '../../contracts/errors.ts';
import { limits } from '../../contracts/limits.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { threadStages } from '../../telemetry/stages/stage-clock.ts';
import { traceparentOf } from '../http/traceparent.ts';
import type { Identity } from '../identity/identity.ts';
import type { Reception, Submission } from '../orders/reception.ts';
import type { StreamCodec } from './stream-codec.ts';

/** The id that a client gives its submit; the answer repeats it. */
type FrameId = number | string;

/** Close code of this application, after HTTP 401: the credentials are not accepted, or not any more. */
export const UNAUTHENTICATED = 4401;

/** Streams with answers to send; they are sent together once the current batch of orders is answered. */
let dirty: Stream[] = [];

function flushAll(): void {
  const streams = dirty;
  dirty = [];
  const before = threadStages.enter(stage.answer);
  for (const stream of streams) stream.flush();
  threadStages.leave(before);
}

/** One WebSocket connection: submits in, answers and status updates out. */
export class Stream {
  readonly identity: Identity;
  /** Submits that are not yet answered. */
  unanswered = 0;
  readonly #ws: WebSocket<unknown>;
  readonly #codec: StreamCodec;
  readonly #reception: Reception;
  #outbox: (string | Buffer)[] = [];
  #closed = false;
  /** Set once the credentials have ended: the reason, as the client gets it. */
  #ended: Problem | undefined;

  constructor(ws: WebSocket<unknown>, codec: StreamCodec, identity: Identity, reception: Reception) {
    this.#ws = ws;
    this.identity = identity;
    this.#codec = codec;
    this.#reception = reception;
  }

  /** The connection is gone: nothing may be sent any more. */
  closed(): void {
    this.#closed = true;
    this.#outbox = [];
  }

  /** Sends the answers so far, then closes the connection with this code. */
  end(code: number, reason: string): void {
    if (this.#closed) return;
    this.flush();
    if (!this.#closed) this.#ws.end(code, reason);
  }

  /**
   * The credentials have ended: new orders are refused, and the connection is closed when the orders in flight are answered, or at the next call.
   * @returns whether this was the first call
   */
  endCredentials(detail: string): boolean {
    const isFirst = this.#ended === undefined;
    this.#ended ??= problem('unauthenticated', `${detail}; connect again with a new one`);
    if (isFirst) this.#error(undefined, this.#ended);
    if (!isFirst || this.unanswered === 0) this.end(UNAUTHENTICATED, detail);
    return isFirst;
  }

  /** A frame of the client; the bytes are valid during the call only. */
  receive(bytes: Buffer, isBinary: boolean): void {
    const timed = threadStages.begin(stage.read);
    try {
      this.#receive(bytes, isBinary);
    } finally {
      if (timed) threadStages.end();
    }
  }

  #receive(bytes: Buffer, isBinary: boolean): void {
    let frame: unknown;
    try {
      if (isBinary !== this.#codec.isBinary)
        throw new TypeError(`frames of this subprotocol are ${this.#codec.isBinary ? 'binary' : 'text'}`);
      frame = this.#codec.decode(bytes);
    } catch (error) {
      this.#error(undefined, problem('malformed-request', (error as Error).message));
      return;
    }
    const id = idOf(frame);
    const fault = faultOf(frame, id);
    if (fault !== undefined) this.#error(id, problem('malformed-request', fault));
    else if (this.unanswered >= limits.streamUnansweredMax)
      this.#error(id, problem('rate-limited', `more than ${limits.streamUnansweredMax} submits are unanswered`));
    else if (this.#ended !== undefined) this.#error(id, this.#ended);
    else if (this.identity.expiresAt <= this.#reception.clock.now())
      this.#error(id, problem('unauthenticated', 'the token has expired; connect again with a new one'));
    else this.#submit(id as FrameId, frame as SubmitFrame, bytes.length);
  }

  /** A message that answers nothing, for example a status update. */
  push(message: object): void {
    this.#send(message);
  }

  flush(): void {
    if (this.#closed || this.#outbox.length === 0) return;
    const outbox = this.#outbox;
    this.#outbox = [];
    this.#ws.cork(() => {
      for (const message of outbox) {
        // Past its backpressure limit the connection is closed by the server, which ends the loop.
        if (this.#closed) return;
        this.#ws.send(message, this.#codec.isBinary);
      }
    });
  }

  #submit(id: FrameId, frame: SubmitFrame, size: number): void {
    this.unanswered++;
    this.#reception.submit(new FrameSubmission(this, id, frame, size));
  }

  accepted(id: FrameId, orderId: string): void {
    this.#send({ id, type: 'order.accepted', orderId });
    this.#answered();
  }

  refused(id: FrameId, refusal: Problem): void {
    this.#error(id, refusal);
    this.#answered();
  }

  #answered(): void {
    this.unanswered--;
    if (this.#ended !== undefined && this.unanswered === 0) this.end(UNAUTHENTICATED, this.#ended.detail);
  }

  #error(id: FrameId | undefined, refusal: Problem): void {
    this.#send(id === undefined ? { type: 'error', problem: refusal } : { id, type: 'error', problem: refusal });
  }

  #send(message: object): void {
    if (this.#closed) return;
    if (this.#outbox.length === 0) {
      if (dirty.length === 0) setImmediate(flushAll);
      dirty.push(this);
    }
    this.#outbox.push(this.#codec.encode(message));
  }
}

interface SubmitFrame {
  order: unknown;
  traceparent?: string;
}

/** The order of one frame. */
class FrameSubmission implements Submission {
  decoded: unknown;
  readonly size: number;
  readonly traceparent: string;
  readonly #stream: Stream;
  readonly #id: FrameId;

  constructor(stream: Stream, id: FrameId, frame: SubmitFrame, size: number) {
    this.decoded = frame.order;
    this.size = size;
    this.traceparent = traceparentOf(frame.traceparent ?? '');
    this.#stream = stream;
    this.#id = id;
  }

  get identity(): Identity {
    return this.#stream.identity;
  }

  /** Frames have ids of their own and no request id. */
  get requestId(): string {
    return '';
  }

  accepted(orderId: string): void {
    this.#stream.accepted(this.#id, orderId);
  }

  refused(refusal: Problem): void {
    this.#stream.refused(this.#id, refusal);
  }
}

function idOf(frame: unknown): FrameId | undefined {
  const id = (frame as { id?: unknown } | null)?.id;
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}

/** The fault of a submit's envelope, if any; the reception checks the order inside. */
function faultOf(frame: unknown, id: FrameId | undefined): string | undefined {
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return 'a frame is an object';
  const { type, order, traceparent } = frame as Record<string, unknown>;
  if (type !== 'order.submit') return 'the only type of a client frame is "order.submit"';
  if (id === undefined) return '"id" must be a number or a string';
  if (typeof order !== 'object' || order === null) return '"order" must be an object';
  if (traceparent !== undefined && typeof traceparent !== 'string') return '"traceparent" must be a string';
  return undefined;
}
