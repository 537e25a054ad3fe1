// The requests and answers of the service, with their decoders. Used by server.ts and the handlers.

import type { MethodDefinition } from '@grpc/grpc-js';
import { type OrdersMethod, ordersService } from './definition.ts';
import type { RpcStatus } from './error-details.ts';
import { type OrderMessage, orderValue } from './order-message.ts';
import { strictReader } from './strict-reader.ts';

/** A request that can't be decoded. grpc-js would answer INTERNAL if a decoder threw, though the fault is the client's. */
export interface Malformed {
  fault: string;
}

/** An order as it came in a request. */
export interface SubmittedOrder {
  /** 0 in a unary call. */
  id: number;
  /** The order as its JSON document; not yet checked. */
  order: object | undefined;
  traceparent: string;
  /** Bytes of the request's message. */
  size: number;
}

export interface GetRequest {
  orderId: string;
}

export interface AcceptedMessage {
  orderId: string;
  status: number;
}

export interface StreamAnswer {
  id: number;
  accepted?: AcceptedMessage;
  error?: RpcStatus;
}

interface SubmitMessage {
  id?: number;
  order?: OrderMessage;
  traceparent?: string;
}

function submitted(method: OrdersMethod): (bytes: Buffer) => SubmittedOrder | Malformed {
  return decoder(method, ({ id = 0, order, traceparent = '' }: SubmitMessage, size) => ({
    id,
    order: order === undefined ? undefined : orderValue(order),
    traceparent,
    size,
  }));
}

function decoder<Message, Request>(
  method: OrdersMethod,
  shape: (message: Message, size: number) => Request,
): (bytes: Buffer) => Request | Malformed {
  const { requestDeserialize } = ordersService[method];
  return (bytes) => {
    try {
      return shape(requestDeserialize(strictReader(bytes)) as Message, bytes.length);
    } catch (error) {
      return { fault: `the message is not a valid ${method} request: ${(error as Error).message}` };
    }
  };
}

/** The service, with decoders that return what the handlers need. */
export const ordersDefinition = {
  Submit: { ...ordersService.Submit, requestDeserialize: submitted('Submit') },
  SubmitStream: { ...ordersService.SubmitStream, requestDeserialize: submitted('SubmitStream') },
  Get: {
    ...ordersService.Get,
    requestDeserialize: decoder('Get', ({ orderId = '' }: { orderId?: string }): GetRequest => ({ orderId })),
  },
} as unknown as Record<OrdersMethod, MethodDefinition<object, object>>;
