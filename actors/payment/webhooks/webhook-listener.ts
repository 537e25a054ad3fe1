// Takes Stripe's webhooks: verifies, bounds, stores. Started by webhooks.ts in the payment role.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import Stripe from 'stripe';
import { type Secret, secretText } from '../../../contracts/config/secret.ts';

/** Signatures that are older are refused, so that a copied request can't be sent again later. */
const REPLAY_WINDOW_S = 300;
const BODY_BYTES_MAX = 256 * 1_024;
/** From the first byte of a request to its last. */
const REQUEST_MS_MAX = 10_000;
const CONNECTIONS_MAX = 64;
const PATH = '/webhooks/stripe';

/** What came of a request, for metrics. `stored` and `known` are answered with 200, the others make Stripe send the event again. */
export type WebhookOutcome = 'stored' | 'known' | 'refused' | 'failed';

export interface WebhookOptions {
  secret: Secret;
  /** Stores the event. @returns false when the event was known */
  store(event: Stripe.Event): Promise<boolean>;
  done(outcome: WebhookOutcome, type: string, reason?: string): void;
}

interface Answer {
  status: number;
  text: string;
}

/** A request that is refused, with its answer. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A server that answers 200 only for events that are stored. */
export function webhookServer(options: WebhookOptions): Server {
  const server = createServer(
    { requestTimeout: REQUEST_MS_MAX, headersTimeout: REQUEST_MS_MAX },
    (request, response) => {
      handle(options, request).then(
        ({ status, text }) => {
          // Nothing more is read of a body that is too large.
          if (status === 413) response.setHeader('connection', 'close');
          response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
        },
        () => response.destroy(),
      );
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

async function handle(options: WebhookOptions, request: IncomingMessage): Promise<Answer> {
  let event: Stripe.Event;
  try {
    event = await verified(options.secret, request);
  } catch (error) {
    const { message } = error as Error;
    const status = error instanceof Refusal ? error.status : 500;
    options.done(status === 500 ? 'failed' : 'refused', 'unknown', message);
    return { status, text: message };
  }
  try {
    const isNew = await options.store(event);
    options.done(isNew ? 'stored' : 'known', event.type);
    return { status: 200, text: isNew ? 'stored' : 'known' };
  } catch (error) {
    options.done('failed', event.type, (error as Error).message);
    return { status: 503, text: 'the event could not be stored; send it again' };
  }
}

async function verified(secret: Secret, request: IncomingMessage): Promise<Stripe.Event> {
  if (request.url?.split('?', 1)[0] !== PATH) throw new Refusal(404, `not found; webhooks go to ${PATH}`);
  if (request.method !== 'POST') throw new Refusal(405, 'a webhook is a POST');
  const body = await bodyOf(request);
  const signature = request.headers['stripe-signature'];
  if (typeof signature !== 'string') throw new Refusal(400, 'the header stripe-signature is missing');
  const text = secretText(secret);
  try {
    return Stripe.webhooks.constructEvent(body, signature, text, REPLAY_WINDOW_S);
  } catch (error) {
    const reason =
      error instanceof Stripe.errors.StripeSignatureVerificationError ? 'stripe-signature does not fit' : 'no event';
    throw new Refusal(
      400,
      `${reason}: made with another secret than STRIPE_WEBHOOK_SECRET, older than ${REPLAY_WINDOW_S} s, or changed on its way`,
    );
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) throw new Refusal(413, `a body has at most ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
