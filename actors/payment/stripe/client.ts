// The connection to Stripe: key, address, deadline. Used by the Stripe provider.

import http from 'node:http';
import https from 'node:https';
import Stripe from 'stripe';
import { type Secret, secretText } from '../../../contracts/config/secret.ts';
import { withDeadline } from '../../../contracts/deadline.ts';
import { systemTimers } from '../../../contracts/timers.ts';
import { providerOutage } from '../provider.ts';
import { faultOfStripe } from './faults.ts';

export interface StripeConnection {
  secretKey: Secret;
  apiBase: string;
  callMsMax: number;
}

/** What every call takes: the key as it is now, in a file perhaps, and the idempotency key. */
type CallOptions = Stripe.RequestOptions & { apiKey: string };

export interface CallWords {
  doing: string;
  /** Must not get into logs and dead letters. */
  hidden?: string;
  idempotencyKey?: string;
}

/** Calls of Stripe's API. The client never tries again by itself: the runtime does, and then it is asked first what has happened. */
export class StripeClient {
  readonly #stripe: Stripe;
  readonly #agent: http.Agent;
  readonly #connection: StripeConnection;

  constructor(connection: StripeConnection) {
    const { protocol, hostname, port } = new URL(connection.apiBase);
    const scheme = protocol === 'http:' ? 'http' : 'https';
    this.#agent = scheme === 'http' ? new http.Agent({ keepAlive: true }) : new https.Agent({ keepAlive: true });
    this.#connection = connection;
    // The key is given with each call, since its file may change. The client wants one all the same.
    this.#stripe = new Stripe('sk_given_with_each_call', {
      host: hostname,
      port: port === '' ? (scheme === 'http' ? 80 : 443) : Number(port),
      protocol: scheme,
      httpClient: withoutRepeats(this.#agent),
      // Of a silent socket; the whole call has the deadline below.
      timeout: connection.callMsMax,
      maxNetworkRetries: 0,
      telemetry: false,
    });
  }

  /** @throws OutageError when there is no answer in time, PaymentRequestError when Stripe refuses the request; `faultOfStripe` tells which */
  async call<T>(words: CallWords, work: (stripe: Stripe, options: CallOptions) => Promise<T>): Promise<T> {
    const { doing, hidden, idempotencyKey } = words;
    const { callMsMax } = this.#connection;
    try {
      const options = { ...this.options(), ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
      return await withDeadline(systemTimers, callMsMax, work(this.#stripe, options), () =>
        providerOutage(`has not answered for ${callMsMax} ms (Stripe, ${doing})`),
      );
    } catch (error) {
      if (error instanceof Stripe.errors.StripeCardError) throw error;
      throw faultOfStripe(error, doing, hidden);
    }
  }

  /**
   * All pages of a list. Each page has the deadline of a call.
   * @throws as `call` does
   */
  async *pages<T extends { id: string }>(
    doing: string,
    page: (stripe: Stripe, after: { starting_after?: string }, options: CallOptions) => Promise<Stripe.ApiList<T>>,
  ): AsyncGenerator<T> {
    let after = {};
    for (;;) {
      const { data, has_more } = await this.call({ doing }, (stripe, options) => page(stripe, after, options));
      yield* data;
      const last = data.at(-1);
      if (!has_more || last === undefined) return;
      after = { starting_after: last.id };
    }
  }

  /** @throws OutageError when the file of the key can't be read: every order would fail alike */
  options(): CallOptions {
    try {
      return { apiKey: secretText(this.#connection.secretKey) };
    } catch (error) {
      throw providerOutage('can not be asked: the file of STRIPE_SECRET_KEY_FILE can not be read', error);
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

/**
 * The client's own HTTP, but a connection that was closed is an error like any other: the client repeats the request of a closed connection
 * once, also with `maxNetworkRetries: 0`, without asking whether it had arrived.
 */
function withoutRepeats(agent: http.Agent): ReturnType<typeof Stripe.createNodeHttpClient> {
  const client = Stripe.createNodeHttpClient(agent);
  const request = client.makeRequest.bind(client);
  client.makeRequest = (...args) =>
    request(...args).catch((error: NodeJS.ErrnoException) => {
      const isClosed = error.code === 'ECONNRESET' || error.code === 'EPIPE';
      throw isClosed ? new Error(`the connection was closed: ${error.message}`, { cause: error }) : error;
    });
  return client;
}
