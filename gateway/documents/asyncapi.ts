import { limits } from '../../contracts/limits.ts';
import { orderIdSchema, orderSchema } from '../../contracts/order/order.ts';
import { codecs } from '../websocket/stream-codec.ts';

/** The WebSocket interface as AsyncAPI 3, made from the schemas that the gateway itself uses. */
export function asyncApi() {
  return {
    asyncapi: '3.0.0',
    info: { title: 'Ordermesh stream', version: '1' },
    channels: {
      stream: {
        address: '/v1/stream',
        description: `Subprotocols: ${Object.keys(codecs).join(', ')}. The token goes into the Authorization header or, from a browser, into one more subprotocol \`bearer.<JWT>\`; a token that is not accepted closes the connection with code 4401. At most ${limits.streamUnansweredMax} submits may be unanswered.`,
        messages: { submit, accepted, error, status, menu },
      },
    },
    operations: {
      submitOrder: { action: 'receive', channel: { $ref: '#/channels/stream' }, messages: [ref('submit')] },
      tellOutcome: {
        action: 'send',
        channel: { $ref: '#/channels/stream' },
        messages: [ref('accepted'), ref('error'), ref('status'), ref('menu')],
      },
    },
  };
}

const id = { type: ['integer', 'string'], description: 'Chosen by the client; the answer repeats it.' };

const traceparent = { type: 'string', description: 'W3C Trace Context; carried to every event that follows.' };
const submit = message('order.submit', { id, order: orderSchema, traceparent }, ['id', 'order']);
const accepted = message('order.accepted', { id, orderId: orderIdSchema }, ['id', 'orderId']);
const error = message('error', { id, problem: { type: 'object', description: 'RFC 9457 problem details.' } }, [
  'problem',
]);
const status = message(
  'order.status',
  {
    orderId: orderIdSchema,
    status: {
      type: 'string',
      description:
        '`conflicting` ends a content that was accepted under an orderId which stands for another one: that content has no effect, and the status of the order itself is what it was.',
    },
    at: {
      type: 'string',
      format: 'date-time',
      description:
        'When the status began. The gateway may send an event again, for example after a restart; a status with an earlier time than a status received before is outdated. Within one connection the gateway sends no outdated status that it recognizes; after a new connection, compare the times.',
    },
    detail: {
      type: 'string',
      description:
        'With `conflicting`, and with `rejected` from an edge agent when the region refused the order: the reason, in words.',
    },
  },
  ['orderId', 'status'],
);

const menu = message(
  'menu.changed',
  {
    storeId: { type: 'string' },
    menuVersion: { type: 'integer', description: 'A higher one than before: read `GET /v1/menus/<store>` again.' },
    revision: { type: 'integer', description: 'Goes up with every change of what the store can sell.' },
    unavailable: { type: 'array', items: { type: 'object', required: ['sku', 'since'] } },
  },
  ['storeId', 'menuVersion', 'revision', 'unavailable'],
);

function message(type: string, properties: object, required: string[]) {
  return {
    payload: { type: 'object', required: ['type', ...required], properties: { type: { const: type }, ...properties } },
  };
}

function ref(name: string) {
  return { $ref: `#/channels/stream/messages/${name}` };
}
