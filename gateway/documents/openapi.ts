import { errorTable } from '../../contracts/errors.ts';
import { limits } from '../../contracts/limits.ts';
import { availabilitySchema } from '../../contracts/menu/availability.ts';
import { storeMenuSchema } from '../../contracts/menu/store-menu.ts';
import { orderIdSchema, orderSchema } from '../../contracts/order/order.ts';
import { acceptedCodings } from '../http/content-coding.ts';
import { menuPaths } from './menu-paths.ts';
import { errors, header, json, problemRef, requestId } from './openapi-parts.ts';

/** The HTTP interface as OpenAPI 3.1, made from the schemas and the error table that the gateway itself uses. */
export function openApi() {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ordermesh gateway',
      version: '1',
      description:
        'Hands over restaurant orders. A 202 is sent when the order is durable; the orderId is the idempotency key.',
    },
    security: [{ bearer: [] }, { certificate: [] }],
    paths: {
      '/v1/orders': {
        post: {
          operationId: 'submitOrder',
          summary: 'Submit one order',
          parameters: [traceparent, requestId, contentEncoding],
          requestBody: {
            required: true,
            content: { 'application/json': { schema: { $ref: '#/components/schemas/NewOrder' } } },
          },
          responses: {
            '202': {
              description: 'The order is durable. The same order again is answered the same way.',
              headers: {
                Location: header('Path of the order’s status.'),
                'x-ordermesh-region': header('Region that took the order.'),
              },
              content: json({
                type: 'object',
                required: ['orderId', 'status'],
                properties: { orderId: orderIdSchema, status: { const: 'accepted' } },
              }),
            },
            ...errors(
              'malformed-body',
              'unauthenticated',
              'forbidden',
              'upload-timeout',
              'order-conflict',
              'body-too-large',
              'unsupported-media-type',
              'invalid-order',
              'rate-limited',
              'overloaded',
              'log-unavailable',
              'draining',
              'identity-unavailable',
            ),
          },
        },
      },
      '/v1/orders/batch': {
        post: {
          operationId: 'submitBatch',
          summary: `Submit up to ${limits.batchOrdersMax} orders, one a line`,
          parameters: [traceparent, requestId, contentEncoding],
          requestBody: {
            required: true,
            content: { 'application/x-ndjson': { schema: { type: 'string', pattern: '\\S' } } },
          },
          responses: {
            '207': { description: 'What became of each line.', content: json(batchResult) },
            ...errors(
              'malformed-body',
              'unauthenticated',
              'upload-timeout',
              'body-too-large',
              'unsupported-media-type',
              'overloaded',
              'identity-unavailable',
            ),
          },
        },
      },
      '/v1/orders/{orderId}': {
        get: {
          operationId: 'orderStatus',
          summary: 'Status and history of an order of the token’s store',
          parameters: [{ name: 'orderId', in: 'path', required: true, schema: orderIdSchema }, requestId],
          responses: {
            '200': { description: 'What is known of the order.', content: json(orderStatus) },
            ...errors('unauthenticated', 'not-found', 'rate-limited', 'status-unavailable', 'identity-unavailable'),
          },
        },
      },
      ...menuPaths,
      '/v1/stream': {
        get: {
          operationId: 'openStream',
          summary: 'WebSocket for orders and their status; its frames are described in /asyncapi.json',
          responses: {
            '101': { description: 'The connection speaks the subprotocol that the answer names.' },
            ...errors('malformed-request', 'unauthenticated', 'forbidden', 'draining'),
          },
        },
      },
      '/openapi.json': { get: document('openApi', 'This document') },
      '/asyncapi.json': { get: document('asyncApi', 'The frames of /v1/stream as AsyncAPI 3') },
    },
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        certificate: {
          type: 'mutualTLS',
          description: 'A client certificate with the URI urn:ordermesh:store:<storeId>, where the gateway takes them.',
        },
      },
      schemas: {
        Order: orderSchema,
        NewOrder: newOrder,
        StoreMenu: storeMenuSchema,
        Availability: availabilitySchema,
        Problem: problemSchema,
      },
    },
  };
}

function document(operationId: string, summary: string) {
  return {
    operationId,
    summary,
    security: [],
    responses: { '200': { description: summary, content: json({ type: 'object' }) } },
  };
}

/** The gateway makes an orderId where the client sends none. */
const newOrder = {
  ...orderSchema,
  $id: 'NewOrder',
  required: orderSchema.required.filter((name) => name !== 'orderId'),
};

const problemSchema = {
  type: 'object',
  description: 'RFC 9457 problem details.',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { enum: Object.keys(errorTable) },
    retryAfterS: { type: 'integer', minimum: 1, description: 'Seconds to wait.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: {
          pointer: { type: 'string', description: 'JSON Pointer (RFC 6901).' },
          detail: { type: 'string' },
        },
      },
    },
  },
};

const batchResult = {
  type: 'object',
  required: ['results'],
  properties: {
    results: {
      type: 'array',
      items: {
        type: 'object',
        required: ['index', 'status'],
        properties: {
          index: {
            type: 'integer',
            minimum: 0,
            description: 'Which order of the batch, from 0; blank lines do not count.',
          },
          orderId: { type: 'string' },
          status: { type: 'integer' },
          problem: problemRef,
        },
      },
    },
  },
};

const statusSchema = {
  enum: ['accepted', 'validated', 'rejected', 'paid', 'payment-failed', 'cooking', 'cooked', 'parked', 'conflicting'],
  description:
    '`conflicting`: a content that was sent under an orderId which stands for another one; it has no effect, send it again under a new orderId. As the status of an order it says that the orderId is another store’s; in a history, that other content came for this order, which goes on as it was.',
};

const orderStatus = {
  type: 'object',
  required: ['orderId', 'storeId', 'status', 'history'],
  properties: {
    orderId: orderIdSchema,
    storeId: { type: 'string' },
    status: statusSchema,
    history: {
      type: 'array',
      items: {
        type: 'object',
        required: ['status', 'at'],
        properties: { status: statusSchema, at: { type: 'string', format: 'date-time' } },
      },
    },
  },
};

const traceparent = {
  name: 'traceparent',
  in: 'header',
  required: false,
  description: 'W3C Trace Context; carried to every event that follows from the order.',
  schema: { type: 'string' },
};

const contentEncoding = {
  name: 'content-encoding',
  in: 'header',
  required: false,
  description: 'How the body is packed; the limits of its size hold for what it unpacks to.',
  schema: { enum: acceptedCodings },
};
