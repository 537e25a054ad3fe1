import { readFile } from 'node:fs/promises';
import path from 'node:path';
import Fastify from 'fastify';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { loadConfig } from '../../../contracts/config/config.ts';
import { type Order, orderSchema } from '../../../contracts/order/order.ts';
import { formats } from '../../../contracts/validation.ts';
import { connectProducer } from './producer.ts';

/**
 * The same gateway as a competent engineer writes it on Fastify and kafkajs: the same route, tokens, schema and record, and 202 only when all
 * in-sync replicas have the order. Fastify validates with ajv and serialises by a schema, a verified token is remembered, and
 * orders are sent to Kafka together (see `producer.ts`). It has no idempotency, no admission, no rate limit and no metrics.
 *
 *   node perf/peers/fastify-kafkajs/gateway.ts TOPIC [PORT]
 */
const [topic = 'raw-orders', port = '0'] = process.argv.slice(2);
const config = loadConfig();
const producer = await connectProducer(config.KAFKA_BROKERS ?? [], topic);

const keyFile = config.ORDERMESH_JWKS ?? path.join(config.ORDERMESH_DATA_DIR, 'issuer', 'jwks.json');
const keys = createLocalJWKSet(JSON.parse(await readFile(keyFile, 'utf8')) as JSONWebKeySet);
const verified = new Map<string, { store: unknown; expiresAt: number }>();

async function storeOf(authorization: string): Promise<unknown> {
  const known = verified.get(authorization);
  if (known !== undefined && known.expiresAt > Date.now()) return known.store;
  const { payload } = await jwtVerify(authorization.replace(/^Bearer +/i, ''), keys, {
    issuer: config.ORDERMESH_JWT_ISSUER,
    audience: config.ORDERMESH_JWT_AUDIENCE,
    requiredClaims: ['exp', 'store'],
  });
  verified.set(authorization, { store: payload.store, expiresAt: (payload.exp ?? 0) * 1_000 });
  return payload.store;
}

const fastify = Fastify({
  logger: false,
  // The schema says what an order is: nothing is converted, removed or filled in.
  ajv: {
    customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, strictTypes: false },
    // After Fastify's own formats, which are less strict.
    onCreate(ajv) {
      for (const [name, check] of Object.entries(formats)) ajv.addFormat(name, check);
    },
  },
});

const accepted = {
  type: 'object',
  properties: { orderId: { type: 'string' }, status: { type: 'string' } },
} as const;

fastify.route<{ Body: Order }>({
  method: 'POST',
  url: '/v1/orders',
  schema: { body: orderSchema, response: { 202: accepted } },
  async handler(request, reply) {
    const order = request.body;
    // Any fault of a token is a 401.
    const store = await storeOf(request.headers.authorization ?? '').catch(() => undefined);
    if (store === undefined) return reply.code(401).send();
    if (store !== order.storeId) return reply.code(403).send();
    await producer.append(order);
    reply.code(202).header('location', `/v1/orders/${order.orderId}`).header('x-ordermesh-region', config.REGION);
    return { orderId: order.orderId, status: 'accepted' };
  },
});

process.once('SIGTERM', async () => {
  await fastify.close();
  await producer.close();
});
await fastify.listen({ host: '127.0.0.1', port: Number(port) });
process.send?.({ type: 'ready' });
