// How many points a paid order earns. Called by loyalty-handler.ts.

import { type Static, Type } from 'typebox';
import { orderIdSchema } from '../../contracts/order/order.ts';
import { compileValidator, type FieldError } from '../../contracts/validation.ts';
import type { PointsEntry } from '../../store/index.ts';

/** The members of an `order.paid` event that loyalty reads. */
const paidOrderSchema = Type.Object({
  orderId: orderIdSchema,
  occurredAt: Type.String({ format: 'date-time' }),
  total: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  order: Type.Object({ customerId: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })) }),
});

export type PaidOrder = Static<typeof paidOrderSchema>;

export const validatePaidOrder = compileValidator(paidOrderSchema);

/** Points for a total: one for each whole `unitsPerPoint` minor units. */
export function pointsFor(total: number, unitsPerPoint: number): number {
  return Math.floor(total / unitsPerPoint);
}

/** The ledger entry of a paid order; `undefined` for a guest without an account or an order too small for a point. */
export function pointsEntry(eventId: string, paid: PaidOrder, unitsPerPoint: number): PointsEntry | undefined {
  const { orderId, occurredAt, total, order } = paid;
  const points = pointsFor(total, unitsPerPoint);
  if (order.customerId === undefined || points === 0) return undefined;
  return { eventId, customerId: order.customerId, orderId, points, occurredAt };
}

export function describeFields(errors: readonly FieldError[]): string {
  return errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ');
}
