// A stream of orders over gRPC (`Orders/SubmitStream`). Loaded by transport.ts.

import { fileURLToPath } from 'node:url';
import { Client, credentials, Metadata, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { errorTable } from '../../../contracts/errors.ts';
import { grpcStatus } from '../../../contracts/grpc-status.ts';
import type { Order } from '../../../contracts/order/order.ts';
import type { OrderStream, StreamEvents } from './streams.ts';
import type { Answer } from './types.ts';

const definitions = loadSync(['ordermesh.proto', 'google/rpc/error_details.proto'], {
  includeDirs: [fileURLToPath(new URL('../../../contracts/', import.meta.url))],
  longs: Number,
});
const method = (definitions['ordermesh.v1.Orders'] as ServiceDefinition).SubmitStream as ServiceDefinition[string];
const errorInfo = definitions['google.rpc.ErrorInfo'] as MessageTypeDefinition<object, { reason?: string }>;
const retryInfo = definitions['google.rpc.RetryInfo'] as MessageTypeDefinition<
  object,
  { retryDelay?: { seconds?: number; nanos?: number } }
>;

interface RpcStatus {
  message?: string;
  details?: { type_url: string; value: Buffer }[];
}

interface StreamAnswer {
  id: number;
  accepted?: { orderId: string };
  error?: RpcStatus;
}

/** A link for each stream, as stores have: by default grpc-js would put all streams to one address on one link. */
const OWN_LINK = { 'grpc.use_local_subchannel_pool': 1 };

function clientOf(gateway: URL): Client {
  const secure = gateway.protocol === 'https:';
  const port = gateway.port || (secure ? '443' : '80');
  return new Client(
    `${gateway.hostname}:${port}`,
    secure ? credentials.createSsl() : credentials.createInsecure(),
    OWN_LINK,
  );
}

export function assertReachable(gateway: URL, timeoutMs: number): Promise<void> {
  const client = clientOf(gateway);
  return new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + timeoutMs, (error) => {
      client.close();
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}

export function openGrpcStream(gateway: URL, token: string | undefined, events: StreamEvents): OrderStream {
  const client = clientOf(gateway);
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  const stream = client.makeBidiStreamRequest<object, StreamAnswer>(
    method.path,
    method.requestSerialize,
    method.responseDeserialize as (bytes: Buffer) => StreamAnswer,
    metadata,
  );
  let over = false;
  const end = (outcome: Answer | Error) => {
    if (over) return;
    over = true;
    client.close();
    events.ended(outcome);
  };
  stream.on('data', ({ id, accepted, error }: StreamAnswer) => {
    if (accepted !== undefined) events.answered(id, { status: 202, body: '', orderId: accepted.orderId });
    else events.answered(id, refusal(error ?? {}));
  });
  stream.on('error', (error: Error & { code?: number; details?: string }) => {
    const detail = error.details ?? error.message;
    end(
      error.code === grpcStatus.UNAUTHENTICATED
        ? { status: 401, body: JSON.stringify({ code: 'unauthenticated', detail }) }
        : new Error(detail),
    );
  });
  stream.on('end', () => end(new Error('the stream has ended')));

  return {
    send(id, body) {
      const order = messageOf(body);
      if (order !== undefined) stream.write({ id, order });
      // A text that is not JSON has no message: it is answered as over HTTP, and not sent. Not at once: the order is not yet in flight.
      else setImmediate(() => events.answered(id, { status: 400, body: JSON.stringify({ code: 'malformed-body' }) }));
    },
    close() {
      stream.cancel();
      end(new Error('closed'));
    },
  };
}

/** The order as the proto's message, whose enums have longer names. */
function messageOf(body: string): object | undefined {
  let order: Order;
  try {
    order = JSON.parse(body) as Order;
  } catch {
    // The caller answers it.
    return undefined;
  }
  const { channel, payment, fulfilment, adjustments } = order;
  return {
    ...order,
    channel: constant('CHANNEL', channel),
    payment: { ...payment, method: constant('PAYMENT_METHOD', payment?.method) },
    ...(fulfilment && { fulfilment: { ...fulfilment, type: constant('FULFILMENT_TYPE', fulfilment.type) } }),
    ...(adjustments && {
      adjustments: adjustments.map((each) => ({ ...each, kind: constant('ADJUSTMENT_KIND', each.kind) })),
    }),
  };
}

function constant(prefix: string, word: unknown): string {
  return `${prefix}_${String(word).toUpperCase().replaceAll('-', '_')}`;
}

function refusal({ message = '', details = [] }: RpcStatus): Answer {
  const detail = (name: string) => details.find(({ type_url }) => type_url.endsWith(`/${name}`))?.value;
  const info = detail('google.rpc.ErrorInfo');
  const reason = info === undefined ? 'internal' : (errorInfo.deserialize(info).reason ?? '');
  const code = reason.toLowerCase().replaceAll('_', '-');
  const status = errorTable[code as keyof typeof errorTable]?.status ?? 500;
  const answer: Answer = { status, body: JSON.stringify({ code, status, detail: message }) };
  const retry = detail('google.rpc.RetryInfo');
  if (retry !== undefined) {
    const { seconds = 0, nanos = 0 } = retryInfo.deserialize(retry).retryDelay ?? {};
    answer.retryAfterMs = Number(seconds) * 1_000 + nanos / 1e6;
  }
  return answer;
}
