// Sends orders to a gateway and repeats them until they are answered. Used by commands that send orders, the lab and a benchmark.

import { exponentialDelayMs } from '../../contracts/backoff.ts';
import { Latencies, type LatencySummary } from './latencies.ts';
import { connectGateway, type Via } from './transport/transport.ts';
import type { Answer, GatewayConnection } from './transport/types.ts';

/** One line to send. A body that is not JSON, or not text, is sent unchanged, and the gateway decides. */
export interface OutgoingOrder {
  body: string | Uint8Array;
  /** The store whose token is used. */
  storeId: string;
  orderId?: string;
}

/** The result of one order at the gateway. */
export interface SendResult {
  order: OutgoingOrder;
  /** The last answer's HTTP status; 0 when the time was up without any answer. */
  status: number;
  /** The id that the gateway answered, or else the one that was sent. */
  orderId: string | undefined;
  attempts: number;
  /** The answer's body, for a refusal. */
  detail: string;
  /** When the order was due, by `performance.now()`. */
  dueAtMs: number;
  /** From the moment the order was due, or was sent if that was earlier, to this result; waiting and retries included. */
  latencyMs: number;
}

export interface SenderOptions {
  /** Several addresses of one mesh: the first is used until it gives no answer or refuses for a while, then the next one, in turn. */
  gateway: URL | readonly URL[];
  /** The bearer token of a store; `undefined` sends none. */
  token(storeId: string): string | undefined | Promise<string | undefined>;
  /** HTTP by default. For gRPC, `gateway` names the gRPC port. */
  via?: Via;
  /** Keep-alive connections, over WebSocket and gRPC for each token; 32 by default. */
  connections?: number;
  /** Most orders in flight, retries included, before the next one waits; 2,000 by default. */
  unansweredMax?: number;
  /** Longest time from the first attempt to giving up, in milliseconds; 60,000 by default. */
  giveUpAfterMs?: number;
  /** Longest time that one attempt waits for its answer, in milliseconds; 15,000 by default. */
  answerMsMax?: number;
  /** Off: the first answer to an order is final, whatever it says. On by default. */
  repeats?: boolean;
  onResult?(result: SendResult): void;
  /** Each attempt: its HTTP status, or 0 and the reason where no answer came. */
  onAttempt?(status: number, detail: string): void;
}

export interface SendReport {
  sent: number;
  accepted: number;
  /** Orders refused for good, by status. */
  refused: Record<string, number>;
  /** Attempts that were answered 429 or 503, or not at all, and tried again. */
  retried: number;
  /** Orders given up without an answer; whether they were accepted is not known. */
  unanswered: number;
  /** From the moment an order was due to its 202, waiting and retries included. */
  latency: LatencySummary;
}

export interface Sender {
  /** Resolves once there is room for the next order. The order then goes its own way: its result arrives at `onResult`. */
  submit(order: OutgoingOrder, dueAtMs?: number): Promise<void>;
  /** Whether `submit` would wait. */
  readonly isFull: boolean;
  report(): SendReport;
  /** Waits for every order in flight. */
  settle(): Promise<void>;
  /** Gives up the orders in flight and closes the connections. */
  close(): void;
}

const BACKOFF_MS = 100;
const BACKOFF_MAX_MS = 5_000;

/**
 * Sends orders as a good client does: over kept connections, repeating the same order with back-off when the gateway is busy or does
 * not answer (the orderId makes a repeat harmless), honouring Retry-After, with a bound on orders in flight.
 */
export function createSender(options: SenderOptions): Sender {
  const {
    via = 'http',
    connections = 32,
    unansweredMax = 2_000,
    giveUpAfterMs = 60_000,
    answerMsMax = 15_000,
  } = options;
  const timeoutMs = Math.min(giveUpAfterMs, answerMsMax);
  const gateways = [options.gateway].flat().map((gateway) => connectGateway({ via, gateway, connections, timeoutMs }));
  let current = 0;
  const stop = new AbortController();
  let inFlight = 0;
  let failure: unknown;
  let waiting: (() => void)[] = [];
  const latencies = new Latencies();
  const report = { sent: 0, accepted: 0, refused: {} as Record<string, number>, retried: 0, unanswered: 0 };

  async function deliver(order: OutgoingOrder, dueAtMs: number): Promise<void> {
    // An order that is due within the same millisecond is sent early. Its latency does not begin before it was sent.
    const fromMs = Math.min(dueAtMs, performance.now());
    const token = await options.token(order.storeId);
    const giveUpAt = performance.now() + giveUpAfterMs;
    for (let attempts = 1; ; attempts++) {
      const at = current;
      const answer = await (gateways[at] as GatewayConnection).post(order.body, token).catch(noAnswer);
      // One order moves all: those that were sent with it fail too, and would move back.
      if ((answer.status === 0 || answer.status === 503) && at === current) current = (at + 1) % gateways.length;
      if (!stop.signal.aborted) options.onAttempt?.(answer.status, answer.body);
      const waitMs = options.repeats === false ? undefined : again(answer, attempts);
      if (waitMs === undefined || stop.signal.aborted || performance.now() + waitMs > giveUpAt) {
        return settleOne(order, answer, { attempts, dueAtMs, latencyMs: performance.now() - fromMs });
      }
      report.retried++;
      await pause(waitMs, stop.signal);
    }
  }

  function settleOne(
    order: OutgoingOrder,
    answer: Answer,
    figures: Pick<SendResult, 'attempts' | 'dueAtMs' | 'latencyMs'>,
  ): void {
    if (answer.status === 202) {
      report.accepted++;
      latencies.record(figures.latencyMs);
    } else if (answer.status === 0) report.unanswered++;
    else report.refused[answer.status] = (report.refused[answer.status] ?? 0) + 1;
    const orderId = answer.status === 202 ? (answer.orderId ?? answeredId(answer.body)) : undefined;
    options.onResult?.({
      order,
      status: answer.status,
      orderId: orderId ?? order.orderId,
      detail: answer.body,
      ...figures,
    });
  }

  /** Resolves once at most that many are in flight. Rejects when a token could not be had. */
  async function until(most: number): Promise<void> {
    while (inFlight > most && failure === undefined) await new Promise<void>((resolve) => waiting.push(resolve));
    if (failure !== undefined) throw failure;
  }

  function finished(): void {
    inFlight--;
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  }

  return {
    get isFull() {
      return inFlight >= unansweredMax;
    },
    async submit(order, dueAtMs = performance.now()) {
      await until(unansweredMax - 1);
      report.sent++;
      inFlight++;
      deliver(order, dueAtMs)
        .catch((error: unknown) => {
          failure ??= error;
        })
        .finally(finished);
    },
    report: () => ({ ...report, refused: { ...report.refused }, latency: latencies.summary() }),
    settle: () => until(0),
    close() {
      stop.abort();
      for (const connection of gateways) connection.close();
    },
  };
}

/** The wait before the next attempt, or `undefined` when the answer is final. Half of the wait is random, so that clients spread. */
function again({ status, retryAfterMs }: Answer, attempts: number): number | undefined {
  if (status !== 0 && status !== 429 && status !== 503) return undefined;
  const backoff = exponentialDelayMs(attempts, BACKOFF_MS, BACKOFF_MAX_MS);
  return (retryAfterMs ?? 0) + backoff * (0.5 + Math.random() / 2);
}

function noAnswer(error: Error): Answer {
  return { status: 0, body: error.message };
}

function answeredId(body: string): string | undefined {
  try {
    const { orderId } = JSON.parse(body) as { orderId?: unknown };
    return typeof orderId === 'string' ? orderId : undefined;
  } catch {
    // The answer is counted by its status; only its orderId is missing.
    return undefined;
  }
}

/** Resolves after that time, or at once when stopped. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
