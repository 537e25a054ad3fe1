import {
  type CallOptions,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientUnaryCall,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Order } from '../../../contracts/order/order.ts';

/** A gRPC client as a user would make it: from the proto file, with enums as names. */
export const definitions = loadSync(['ordermesh.proto', 'google/rpc/error_details.proto'], {
  includeDirs: [new URL('../../../contracts/', import.meta.url).pathname],
  enums: String,
  longs: Number,
});

const proto = loadPackageDefinition(definitions) as unknown as {
  ordermesh: { v1: { Orders: ServiceClientConstructor } };
} & GrpcObject;

/** The methods of a client made from a proto, which the typings leave open. */
// biome-ignore lint/suspicious/noExplicitAny: as above.
export type AnyClient = Record<string, (...args: any[]) => any> & { close(): void };

// biome-ignore lint/suspicious/noExplicitAny: tests read what the server answered.
export type Message = any;

/** The outcome of a call: its answer or its error, and the metadata before and after. */
export interface Outcome {
  answer: Message | undefined;
  code: number;
  message: string;
  /** Details of the error by their type, without the package. */
  details: Record<string, Message>;
  head: Metadata;
  trailers: Metadata;
}

export type OrderStream = ClientDuplexStream<Message, Message>;

/** An order of the JSON schema as its message. */
export function orderMessage(order: Partial<Order> | Record<string, unknown>): Message {
  const constant = (prefix: string, word: unknown) =>
    typeof word === 'string' ? `${prefix}_${word.toUpperCase().replaceAll('-', '_')}` : word;
  const { channel, payment, fulfilment, adjustments } = order as Partial<Order>;
  return {
    ...order,
    ...(channel === undefined ? {} : { channel: constant('CHANNEL', channel) }),
    ...(payment === undefined ? {} : { payment: { ...payment, method: constant('PAYMENT_METHOD', payment.method) } }),
    ...(fulfilment === undefined
      ? {}
      : { fulfilment: { ...fulfilment, type: constant('FULFILMENT_TYPE', fulfilment.type) } }),
    ...(adjustments === undefined
      ? {}
      : { adjustments: adjustments.map((each) => ({ ...each, kind: constant('ADJUSTMENT_KIND', each.kind) })) }),
  };
}

export function clientOf(
  service: ServiceClientConstructor,
  address: string,
  channel: ChannelCredentials = credentials.createInsecure(),
): AnyClient {
  return new service(new URL(address).host, channel) as unknown as AnyClient;
}

export class GrpcClient implements Disposable {
  readonly #client: AnyClient;
  readonly #authorization: string;

  constructor(address: string, authorization: string, channel?: ChannelCredentials) {
    this.#authorization = authorization;
    this.#client = clientOf(proto.ordermesh.v1.Orders, address, channel);
  }

  metadata(more: Record<string, string> = {}): Metadata {
    const metadata = new Metadata();
    if (this.#authorization !== '') metadata.set('authorization', this.#authorization);
    for (const [name, value] of Object.entries(more)) metadata.set(name, value);
    return metadata;
  }

  submit(order: Message, more: Record<string, string> = {}, options: CallOptions = {}): Promise<Outcome> {
    return this.call('Submit', { order }, more, options).outcome;
  }

  get(orderId: string): Promise<Outcome> {
    return this.call('Get', { orderId }).outcome;
  }

  call(
    method: 'Submit' | 'Get',
    request: Message,
    more: Record<string, string> = {},
    options: CallOptions = {},
  ): { call: ClientUnaryCall; outcome: Promise<Outcome> } {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    let head = new Metadata();
    let trailers = new Metadata();
    let failure: ServiceError | null = null;
    let answer: Message;
    const call: ClientUnaryCall = this.#client[method]?.(
      request,
      this.metadata(more),
      options,
      (error: ServiceError | null, response: Message) => {
        failure = error;
        answer = response;
      },
    );
    call.on('metadata', (metadata) => {
      head = metadata;
    });
    call.on('status', (status) => {
      trailers = status.metadata;
      setImmediate(() =>
        resolve({
          answer,
          code: status.code,
          message: failure?.details ?? '',
          details: detailsOf(trailers),
          head,
          trailers,
        }),
      );
    });
    return { call, outcome: promise };
  }

  stream(options: CallOptions = {}): OrderStream {
    return this.#client.SubmitStream?.(this.metadata(), options);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** A stream with all its answers, by id. */
export class StreamClient {
  readonly answers = new Map<number, Message>();
  readonly stream: OrderStream;
  readonly ended: Promise<{ code: number; message: string; details: Record<string, Message> }>;
  order: number[] = [];

  constructor(stream: OrderStream) {
    this.stream = stream;
    stream.on('data', (answer: Message) => {
      this.answers.set(answer.id ?? 0, answer);
      this.order.push(answer.id ?? 0);
    });
    stream.on('error', () => {});
    this.ended = new Promise((resolve) =>
      stream.on('status', ({ code, details, metadata }) =>
        resolve({ code, message: details, details: detailsOf(metadata) }),
      ),
    );
  }
}

/** The details of a `google.rpc.Status` by their type, without the package. */
export function unpacked(status: Message): Record<string, Message> {
  const details: Record<string, Message> = {};
  for (const { type_url: typeUrl, value } of status.details ?? []) {
    const name = String(typeUrl).split('/')[1] ?? '';
    details[name.replace('google.rpc.', '')] = decode(name, value);
  }
  return details;
}

function detailsOf(trailers: Metadata): Record<string, Message> {
  const bytes = trailers.get('grpc-status-details-bin')[0];
  return bytes === undefined ? {} : unpacked(decode('google.rpc.Status', Buffer.from(bytes)));
}

function decode(name: string, bytes: Buffer): Message {
  const definition = definitions[name];
  if (definition === undefined || !('deserialize' in definition)) throw new Error(`${name} is no message`);
  return (definition.deserialize as (bytes: Buffer) => Message)(bytes);
}
