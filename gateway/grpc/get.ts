import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { type Problem, problem } from '../../contracts/errors.ts';
import { isOrderId } from '../../contracts/order/order.ts';
import { answerMetadata, failure, type OrdersContext, requestIdOf, withIdentity } from './call.ts';
import type { GetRequest, Malformed } from './messages.ts';
import { type OrderStatusMessage, orderStatusMessage } from './status-message.ts';

type Call = ServerUnaryCall<GetRequest | Malformed, OrderStatusMessage>;

/** `Orders/Get`: for the token's store only. */
export function getHandler(context: OrdersContext) {
  const { statuses, metrics } = context.desk;
  return (call: Call, answer: sendUnaryData<OrderStatusMessage>): void => {
    const { metadata, request } = call;
    const requestId = requestIdOf(metadata);
    const refuse = (refusal: Problem) => {
      if (call.cancelled) return;
      metrics.request('grpc-get', refusal.status);
      answer(failure(context, requestId, refusal));
    };
    withIdentity(context.desk, call, 0, refuse, (identity) => {
      if (call.cancelled) return;
      if ('fault' in request) refuse(problem('malformed-body', request.fault));
      else if (!isOrderId(request.orderId))
        refuse(problem('not-found', 'order_id is no orderId (a UUID in lower case)'));
      else
        void statuses.read(request.orderId, identity, {
          found(order) {
            if (call.cancelled) return;
            metrics.request('grpc-get', 200);
            call.sendMetadata(answerMetadata(context, requestId));
            answer(null, orderStatusMessage(order));
          },
          refuse,
        });
    });
  };
}
