// The handler of `Orders/SubmitStream`. Created by server.ts for each stream.

import type { ServerDuplexStream } from '@grpc/grpc-js';
import { type Problem, problem } from '../../contracts/errors.ts';
import { limits } from '../../contracts/limits.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { threadStages } from '../../telemetry/stages/stage-clock.ts';
import { traceparentOf } from '../http/traceparent.ts';
import type { Identity } from '../identity/identity.ts';
import type { Submission } from '../orders/reception.ts';
import { answerMetadata, failure, type OrdersContext, requestIdOf, withIdentity } from './call.ts';
import { rpcStatus } from './error-details.ts';
import type { Malformed, StreamAnswer, SubmittedOrder } from './messages.ts';
import { statusNumber } from './status-message.ts';

type Call = ServerDuplexStream<SubmittedOrder | Malformed, StreamAnswer>;

const ACCEPTED = statusNumber('accepted');

/** Reading is resumed when this many orders are unanswered. To pause and resume at each order would cost more than the orders. */
const RESUME_AT = limits.streamUnansweredMax / 2;

/** One `Orders/SubmitStream`: orders in, answers out, pipelined. */
export class SubmitStream {
  readonly #context: OrdersContext;
  readonly #call: Call;
  readonly #requestId: string;
  readonly #onEnd: (stream: SubmitStream) => void;
  #identity: Identity | undefined;
  /** Submits that are not yet answered. */
  #unanswered = 0;
  /** The client reads its answers slower than they come. */
  #clogged = false;
  /** Why the stream ends once everything is answered; 'OK' when the client has closed its side. */
  #ending: Problem | 'OK' | undefined;
  #over = false;

  /** @param onEnd called once, when the stream has ended for whatever reason */
  constructor(context: OrdersContext, call: Call, onEnd: (stream: SubmitStream) => void) {
    this.#context = context;
    this.#call = call;
    this.#requestId = requestIdOf(call.metadata);
    this.#onEnd = onEnd;
    // grpc-js emits this event for a stream that ended normally, too.
    call.on('cancelled', () => this.#gone());
    withIdentity(
      context.desk,
      call,
      0,
      (refusal) => this.end(refusal),
      (identity) => this.#open(identity),
    );
  }

  /** Reads nothing more, and ends the stream with this problem once everything is answered. */
  end(reason: Problem): void {
    this.#close(reason);
  }

  /** The identity of the token or certificate that opened the stream; `undefined` while a token is being verified. */
  get identity(): Identity | undefined {
    return this.#identity;
  }

  /** The credentials have ended. @returns whether this was the first call */
  endCredentials(detail: string): boolean {
    if (this.#over || this.#ending !== undefined) return false;
    this.#close(problem('unauthenticated', `${detail}; open a new stream with a new one`));
    return true;
  }

  #open(identity: Identity): void {
    if (this.#over || this.#ending !== undefined) return;
    this.#identity = identity;
    const call = this.#call;
    call.sendMetadata(answerMetadata(this.#context, this.#requestId));
    call.on('drain', () => {
      this.#clogged = false;
      this.#resume();
    });
    call.on('end', () => this.#close('OK'));
    call.on('data', (request: SubmittedOrder | Malformed) => this.#receive(request));
  }

  #receive(request: SubmittedOrder | Malformed): void {
    const timed = threadStages.begin(stage.read);
    try {
      this.#take(request);
    } finally {
      if (timed) threadStages.end();
    }
  }

  #take(request: SubmittedOrder | Malformed): void {
    // Orders that the client sent before it knew of the end get no answer; the client sends them again on a new stream.
    if (this.#ending !== undefined || this.#identity === undefined) return;
    if ('fault' in request) {
      this.#close(problem('malformed-body', request.fault));
      return;
    }
    const { desk } = this.#context;
    const identity = this.#identity;
    if (identity.expiresAt <= desk.reception.clock.now()) {
      this.endCredentials('the token is expired');
      return;
    }
    this.#unanswered++;
    if (this.#unanswered >= limits.streamUnansweredMax) this.#call.pause();
    desk.reception.submit(new StreamSubmission(this, request, identity, this.#requestId));
  }

  accepted(id: number, orderId: string): void {
    this.#answer({ id, accepted: { orderId, status: ACCEPTED } });
  }

  refused(id: number, refusal: Problem, orderId: string | undefined): void {
    const { admission } = this.#context.desk.reception;
    this.#answer({ id, error: rpcStatus(refusal, () => admission.retryAfterS(), orderId) });
  }

  #answer(answer: StreamAnswer): void {
    this.#unanswered--;
    if (this.#over) return;
    if (!this.#call.write(answer) && !this.#clogged) {
      this.#clogged = true;
      this.#call.pause();
    }
    if (this.#ending === undefined) this.#resume();
    else this.#finishWhenAnswered();
  }

  #resume(): void {
    if (this.#clogged || this.#over || this.#unanswered > RESUME_AT || !this.#call.isPaused()) return;
    this.#call.resume();
  }

  #close(reason: Problem | 'OK'): void {
    if (this.#over || this.#ending !== undefined) return;
    this.#ending = reason;
    // Keep reading, and drop what comes: grpc-js does not notice that the client is gone while the stream is paused.
    if (reason !== 'OK') this.#call.resume();
    this.#finishWhenAnswered();
  }

  #finishWhenAnswered(): void {
    if (this.#unanswered > 0 || this.#over || this.#ending === undefined) return;
    const reason = this.#ending;
    this.#count(reason);
    // In both cases grpc-js first sends the answers that were written.
    if (reason === 'OK') this.#call.end();
    else this.#call.emit('error', failure(this.#context, this.#requestId, reason));
  }

  #count(reason: Problem | 'OK'): void {
    this.#context.desk.metrics.request('grpc-submit-stream', reason === 'OK' ? 200 : reason.status);
  }

  #gone(): void {
    if (this.#over) return;
    this.#over = true;
    this.#onEnd(this);
  }
}

/** One order of a stream. */
class StreamSubmission implements Submission {
  decoded: unknown;
  readonly size: number;
  readonly identity: Identity;
  readonly traceparent: string;
  readonly requestId: string;
  readonly #stream: SubmitStream;
  readonly #id: number;

  constructor(stream: SubmitStream, request: SubmittedOrder, identity: Identity, requestId: string) {
    this.decoded = request.order;
    this.size = request.size;
    this.identity = identity;
    this.traceparent = traceparentOf(request.traceparent);
    this.requestId = requestId;
    this.#stream = stream;
    this.#id = request.id;
  }

  accepted(orderId: string): void {
    this.#stream.accepted(this.#id, orderId);
  }

  refused(refusal: Problem, orderId?: string): void {
    this.#stream.refused(this.#id, refusal, orderId);
  }
}
