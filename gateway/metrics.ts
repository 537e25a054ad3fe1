// The metrics of an intake server. Created by server/build.ts; every transport counts in them.

import { Counter, Gauge, type Registry } from 'prom-client';
import { type ErrorCode, errorTable } from '../contracts/errors.ts';
import { PlainHistogram } from '../telemetry/plain-histogram.ts';
import type { Admission } from './orders/admission.ts';

/** Upper bounds of the buckets, in milliseconds. */
const latencyBoundsMs = [1, 2, 3, 5, 7.5, 10, 15, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/** The routes by which requests are counted: a path that a client sends never becomes a label. */
export const routes = [
  'order',
  'batch',
  'status',
  'menu',
  'stream',
  'document',
  'unknown',
  'grpc-submit',
  'grpc-submit-stream',
  'grpc-get',
] as const;
export type Route = (typeof routes)[number];

/**
 * The gateway's counters. The hot path adds to plain numbers; prom-client sees them when Prometheus scrapes.
 */
export class GatewayMetrics {
  readonly #requests = Object.fromEntries(routes.map((route) => [route, new Map()])) as Record<
    Route,
    Map<number, number>
  >;
  readonly #refused = new Map<ErrorCode, number>();
  #appended = 0;
  #failed = 0;
  streams = 0;
  grpcStreams = 0;
  /** Connections that were closed because their credentials had ended. */
  credentialsEnded = 0;
  /** Tokens that could not be verified because the keys that sign them could not be read. */
  identityUnavailable = 0;
  /** Why the keys, the list of revoked tokens, or the file of authorities cannot be read; `undefined` while all can be read. */
  credentialsTrouble: () => string | undefined = () => undefined;
  readonly #latency = new PlainHistogram(latencyBoundsMs, 1_000);

  request(route: Route, status: number): void {
    const byStatus = this.#requests[route];
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  }

  /** An order was refused, with the code of its problem. */
  refused(code: ErrorCode): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
  }

  /** The intake answered an order after this time. */
  answered(durable: boolean, elapsedMs: number): void {
    if (durable) this.#appended++;
    else this.#failed++;
    this.#latency.observe(elapsedMs);
  }

  register(registry: Registry, admission: Admission): void {
    const registers = [registry];
    const requests = this.#requests;
    new Counter({
      name: 'ordermesh_gateway_requests_total',
      help: 'Answered requests by route and HTTP status; of gRPC calls the HTTP status that means the same.',
      labelNames: ['route', 'status'],
      registers,
      collect() {
        this.reset();
        for (const route of routes)
          for (const [status, count] of requests[route]) this.inc({ route, status: String(status) }, count);
      },
    });
    const refused = this.#refused;
    new Counter({
      name: 'ordermesh_gateway_orders_refused_total',
      help: 'Orders that were not accepted, by the code of the problem.',
      labelNames: ['code'],
      registers,
      collect() {
        this.reset();
        for (const code of Object.keys(errorTable) as ErrorCode[]) this.inc({ code }, refused.get(code) ?? 0);
      },
    });
    const counter = (name: string, help: string, read: () => number) =>
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    counter('ordermesh_gateway_orders_accepted_total', 'Orders that became durable here.', () => this.#appended);
    counter('ordermesh_gateway_append_failures_total', 'Orders that were not acknowledged.', () => this.#failed);
    counter(
      'ordermesh_gateway_credentials_ended_total',
      'Open streams that were closed because their token or certificate had expired, was revoked, or its key is not trusted any more.',
      () => this.credentialsEnded,
    );
    counter(
      'ordermesh_gateway_identity_unavailable_total',
      'Tokens that could not be verified because the keys that sign them could not be read; their requests got 503.',
      () => this.identityUnavailable,
    );
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    gauge('ordermesh_gateway_unanswered_orders', 'Orders in flight.', () => admission.orders);
    gauge('ordermesh_gateway_unanswered_bytes', 'Bytes of orders in flight.', () => admission.bytes);
    gauge('ordermesh_gateway_streams', 'Open WebSocket connections.', () => this.streams);
    gauge('ordermesh_gateway_grpc_streams', 'Open SubmitStream calls.', () => this.grpcStreams);
    gauge(
      'ordermesh_gateway_credentials_unread',
      '1 while the keys that sign tokens, the list of revoked ones, or the authorities of client certificates cannot be read; what was read before counts.',
      () => (this.credentialsTrouble() === undefined ? 0 : 1),
    );
    this.#latency.register(registry, 'ordermesh_gateway_append_seconds', 'From append to the answer of the log.');
  }
}
