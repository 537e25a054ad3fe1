import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { type Problem, problem } from '../../contracts/errors.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { threadStages } from '../../telemetry/stages/stage-clock.ts';
import { traceparentOf } from '../http/traceparent.ts';
import type { Identity } from '../identity/identity.ts';
import type { Submission } from '../orders/reception.ts';
import { answerMetadata, failure, type OrdersContext, requestIdOf, textOf, withIdentity } from './call.ts';
import type { AcceptedMessage, Malformed, SubmittedOrder } from './messages.ts';
import { statusNumber } from './status-message.ts';

type Call = ServerUnaryCall<SubmittedOrder | Malformed, AcceptedMessage>;

const ACCEPTED = statusNumber('accepted');

/** `Orders/Submit`. A call that is cancelled or past its deadline gets no answer; a repeat of its order tells what became of the order. */
export function submitHandler(context: OrdersContext) {
  const { reception } = context.desk;
  const receive = (call: Call, answer: sendUnaryData<AcceptedMessage>): void => {
    const { request } = call;
    const submission = new UnarySubmission(context, call, answer);
    withIdentity(
      context.desk,
      call,
      submission.size,
      (refusal) => submission.refused(refusal),
      (identity) => {
        // The call may have been cancelled while its token was verified.
        if (call.cancelled) return;
        if ('fault' in request) {
          submission.refused(problem('malformed-body', request.fault));
          return;
        }
        submission.identity = identity;
        reception.submit(submission);
      },
    );
  };
  return (call: Call, answer: sendUnaryData<AcceptedMessage>): void => {
    const timed = threadStages.begin(stage.read);
    try {
      receive(call, answer);
    } finally {
      if (timed) threadStages.end();
    }
  };
}

/** The order of one call, and the call's answer. */
class UnarySubmission implements Submission {
  decoded: unknown;
  readonly size: number;
  /** Set once the token of the call is verified. */
  identity!: Identity;
  readonly traceparent: string;
  readonly requestId: string;
  readonly #context: OrdersContext;
  readonly #call: Call;
  readonly #send: sendUnaryData<AcceptedMessage>;

  constructor(context: OrdersContext, call: Call, send: sendUnaryData<AcceptedMessage>) {
    const { metadata, request } = call;
    this.decoded = 'order' in request ? request.order : undefined;
    this.size = 'size' in request ? request.size : 0;
    this.traceparent = traceparentOf(textOf(metadata, 'traceparent'));
    this.requestId = requestIdOf(metadata);
    this.#context = context;
    this.#call = call;
    this.#send = send;
  }

  accepted(orderId: string): void {
    if (this.#call.cancelled) return;
    this.#context.desk.metrics.request('grpc-submit', 202);
    this.#call.sendMetadata(answerMetadata(this.#context, this.requestId));
    this.#send(null, { orderId, status: ACCEPTED });
  }

  refused(refusal: Problem, orderId?: string): void {
    if (this.#call.cancelled) return;
    this.#context.desk.metrics.request('grpc-submit', refusal.status);
    this.#send(failure(this.#context, this.requestId, refusal, orderId));
  }
}
