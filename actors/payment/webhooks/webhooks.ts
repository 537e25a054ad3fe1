// The webhooks of the payment role, beside its worker threads. Started by roles.ts.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Counter, Registry } from 'prom-client';
import { type Config, ConfigError } from '../../../contracts/config/config.ts';
import type { Secret } from '../../../contracts/config/secret.ts';
import { hostPort } from '../../../contracts/local-url.ts';
import { BoundedPool, databaseOf, type ProviderEvent, recordProviderEvent } from '../../../store/index.ts';
import { portTaken } from '../../../telemetry/exclusive-port.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { paymentSettings } from '../settings.ts';
import { StripeClient } from '../stripe/client.ts';
import { type OrderOf, readStripeEvent } from './stripe-event.ts';
import { type WebhookOutcome, webhookServer } from './webhook-listener.ts';

const CONNECTIONS = 2;
/** Shorter than Stripe's wait for an answer. */
const STORE_MS_MAX = 5_000;

export interface Webhooks {
  /** Where Stripe's requests arrive, without the path. */
  url: string;
  registry: Registry;
  /** Why events are not stored at present. */
  readiness(): string | undefined;
  close(): Promise<void>;
}

/**
 * Opens the listener.
 * @throws ConfigError when another provider than Stripe is used; an Error that names the port when it is taken
 */
export async function startWebhooks(config: Config, secret: Secret, logger: Logger): Promise<Webhooks> {
  const settings = paymentSettings(config);
  const database = databaseOf(config);
  if (settings.provider !== 'stripe' || database === undefined)
    throw new ConfigError(
      `STRIPE_WEBHOOK_SECRET is set, and ORDERMESH_PAYMENT_PROVIDER is ${settings.provider}; webhooks need ORDERMESH_PAYMENT_PROVIDER=stripe`,
    );
  const pool = new BoundedPool({
    server: database,
    connections: CONNECTIONS,
    application: 'payment-webhooks',
    answerMsMax: STORE_MS_MAX,
  });
  const client = new StripeClient(settings);
  const watch = new EventWatch(logger);
  const server = webhookServer({
    secret,
    async store(event) {
      const read = await readStripeEvent(event, orderAt(client));
      const isNew = await pool.call((sql) => recordProviderEvent(sql, read));
      if (isNew) watch.stored(read);
      return isNew;
    },
    done: (outcome, type, reason) => watch.done(outcome, type, reason),
  });
  const { ORDERMESH_HOST: host, ORDERMESH_STRIPE_WEBHOOK_PORT: port } = config;
  server.listen(port, host);
  await once(server, 'listening').catch(async (error: NodeJS.ErrnoException) => {
    await pool.close();
    throw error.code === 'EADDRINUSE' ? portTaken(host, port, 'ORDERMESH_STRIPE_WEBHOOK_PORT') : error;
  });
  return {
    url: `http://${hostPort(host, (server.address() as AddressInfo).port)}`,
    registry: watch.registry,
    readiness: () => watch.failing,
    async close() {
      server.closeIdleConnections();
      await new Promise((resolve) => server.close(resolve));
      client.close();
      await pool.close();
    },
  };
}

/** Disputes and the dashboard's refunds name the payment; its metadata name the order. */
function orderAt(client: StripeClient): OrderOf {
  return async (id) => {
    const intent = await client.call({ doing: `asking for the order of ${id}` }, (stripe, options) =>
      stripe.paymentIntents.retrieve(id, {}, options),
    );
    return intent.metadata.orderId;
  };
}

/** Says what came, and whether events can be stored. */
class EventWatch {
  readonly registry = new Registry();
  failing: string | undefined;
  readonly #logger: Logger;
  readonly #events: Counter<'type' | 'outcome'>;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.registry.setDefaultLabels({ role: 'payment' });
    this.#events = new Counter({
      name: 'ordermesh_payment_webhooks_total',
      help: 'Webhooks of the payment provider, by outcome: stored, known (sent again), refused (signature, age, size), failed.',
      labelNames: ['type', 'outcome'],
      registers: [this.registry],
    });
  }

  done(outcome: WebhookOutcome, type: string, reason?: string): void {
    this.#events.inc({ type, outcome });
    if (outcome === 'refused') this.#logger.warn({ reason }, 'a webhook was refused');
    else if (outcome === 'failed' && this.failing === undefined)
      this.#logger.error({ type, reason }, 'a webhook could not be stored; the provider sends it again');
    else if (outcome !== 'failed' && this.failing !== undefined) this.#logger.info('webhooks are stored again');
    if (outcome === 'failed') this.failing = `webhooks of the payment provider are not stored: ${reason}`;
    else if (outcome !== 'refused') this.failing = undefined;
  }

  stored({ type, orderId, reference, amount, currency, dispute }: ProviderEvent): void {
    const fields = { type, orderId, reference, amount, currency };
    if (dispute !== undefined) this.#logger.warn({ ...fields, status: dispute.status }, 'a payment is disputed');
    else if (type === 'refund.failed') this.#logger.error(fields, 'a refund has failed at the payment provider');
    else if (reference !== undefined) this.#logger.info(fields, 'the payment provider tells of a refund');
  }
}
