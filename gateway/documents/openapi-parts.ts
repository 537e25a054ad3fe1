// Parts that several paths of the OpenAPI document share. Used by openapi.ts and menu-paths.ts.

import { type ErrorCode, errorTable } from '../../contracts/errors.ts';

export const problemRef = { $ref: '#/components/schemas/Problem' };

export const requestId = {
  name: 'x-request-id',
  in: 'header',
  required: false,
  description:
    'Repeated in the answer and kept with the order, if it has at most 128 visible ASCII characters. A refusal always has a request id.',
  schema: { type: 'string' },
};

export function json(schema: object) {
  return { 'application/json': { schema } };
}

export function header(description: string) {
  return { description, schema: { type: 'string' } };
}

/** Responses by status; codes that share one are listed together. */
export function errors(...codes: ErrorCode[]): Record<string, object> {
  const byStatus = Map.groupBy(codes, (code) => errorTable[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      {
        description: group.map((code) => `${code}: ${errorTable[code].doc}`).join(' '),
        content: { 'application/problem+json': { schema: problemRef } },
        ...(status === 503 || status === 429 ? { headers: { 'Retry-After': header('Seconds to wait.') } } : {}),
      },
    ]),
  );
}
