// The paths of menus in the OpenAPI document. Used by openapi.ts.

import { instantYears } from '../../contracts/order/instant.ts';
import { sku } from '../../contracts/order/item.ts';
import { storeIdSchema } from '../../contracts/order/order.ts';
import { errors, header, json, requestId } from './openapi-parts.ts';

const storeIdParameter = { name: 'storeId', in: 'path', required: true, schema: storeIdSchema };

const itemState = {
  type: 'object',
  required: ['storeId', 'sku', 'available', 'onHand', 'revision'],
  properties: {
    storeId: storeIdSchema,
    sku: sku(),
    available: { type: 'boolean' },
    since: { type: 'string', format: 'date-time' },
    reason: { type: 'string' },
    onHand: { type: 'integer', minimum: 0 },
    revision: { type: 'integer', minimum: 0 },
  },
};

export const menuPaths = {
  '/v1/menus/{storeId}': {
    get: {
      operationId: 'storeMenu',
      summary: 'The menu of the token’s store, now or at an instant',
      parameters: [
        storeIdParameter,
        {
          name: 'at',
          in: 'query',
          required: false,
          schema: { type: 'string', format: 'date-time', pattern: instantYears },
        },
        { name: 'if-none-match', in: 'header', required: false, schema: { type: 'string' } },
        requestId,
      ],
      responses: {
        '200': {
          description: 'The menu by which orders placed at that instant are judged.',
          headers: { ETag: header('Names this content; send it as If-None-Match.') },
          content: json({ $ref: '#/components/schemas/StoreMenu' }),
        },
        '304': { description: 'The menu is still the one of If-None-Match.' },
        ...errors(
          'malformed-request',
          'unauthenticated',
          'forbidden',
          'not-found',
          'rate-limited',
          'menu-unavailable',
          'identity-unavailable',
        ),
      },
    },
  },
  '/v1/menus/{storeId}/items/{sku}/availability': {
    put: {
      operationId: 'setAvailability',
      summary: 'Say that an item cannot be sold, or can again, and correct its stock',
      parameters: [storeIdParameter, { name: 'sku', in: 'path', required: true, schema: sku() }, requestId],
      requestBody: { required: true, content: json({ $ref: '#/components/schemas/Availability' }) },
      responses: {
        '200': {
          description: 'What the store has of it now. The same change again changes nothing.',
          content: json(itemState),
        },
        ...errors(
          'malformed-body',
          'unauthenticated',
          'forbidden',
          'not-found',
          'upload-timeout',
          'body-too-large',
          'unsupported-media-type',
          'invalid-menu-change',
          'rate-limited',
          'menu-unavailable',
          'region-passive',
          'draining',
          'identity-unavailable',
        ),
      },
    },
  },
};
