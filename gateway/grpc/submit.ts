import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { type Problem, problem } from '../../contracts/errors.ts';
import { traceparentOf } from '../http/traceparent.ts';
import type { Submitter } from '../orders/reception.ts';
import { answerMetadata, failure, type OrdersContext, requestIdOf, textOf, withIdentity } from './call.ts';
import type { AcceptedMessage, Malformed, SubmittedOrder } from './messages.ts';
import { statusNumber } from './status-message.ts';

type Call = ServerUnaryCall<SubmittedOrder | Malformed, AcceptedMessage>;

const ACCEPTED = statusNumber('accepted');

/** `Orders/Submit`. A call that is cancelled or past its deadline gets no answer; a repeat of its order tells what became of the order. */
export function submitHandler(context: OrdersContext) {
  const { reception, metrics } = context.desk;
  return (call: Call, answer: sendUnaryData<AcceptedMessage>): void => {
    const { metadata, request } = call;
    const requestId = requestIdOf(metadata);
    const submitter: Submitter = {
      accepted(orderId) {
        if (call.cancelled) return;
        metrics.request('grpc-submit', 202);
        call.sendMetadata(answerMetadata(context, requestId));
        answer(null, { orderId, status: ACCEPTED });
      },
      refused(refusal: Problem, orderId?: string) {
        if (call.cancelled) return;
        metrics.request('grpc-submit', refusal.status);
        answer(failure(context, requestId, refusal, orderId));
      },
    };
    withIdentity(
      context.desk,
      call,
      'size' in request ? request.size : 0,
      (refusal) => submitter.refused(refusal),
      (identity) => {
        // The token took so long to verify that the client does not wait for the order any more.
        if (call.cancelled) return;
        if ('fault' in request) {
          submitter.refused(problem('malformed-body', request.fault));
          return;
        }
        const traceparent = traceparentOf(textOf(metadata, 'traceparent'));
        reception.submitDecoded(request.order, request.size, identity, traceparent, submitter, requestId);
      },
    );
  };
}
