// Single values of a platform's order in our form. Called by the mappers.

import { hash } from 'node:crypto';
import { isOrderId } from '../../contracts/order/order.ts';
import { MappingError } from './mapper.ts';

/** A SKU has lower-case words joined by hyphens: `MOD_CHEESE` becomes `mod-cheese`. Two ids of one menu must not differ in case alone. */
export function skuOf(id: string): string {
  return id
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}

/**
 * The orderId: the platform's id if that is a UUID, else a UUID that is made of it (RFC 9562, version 8). The same order gets the same id,
 * however often the platform sends it.
 */
export function orderIdOf(platform: string, id: string): string {
  const own = id.toLowerCase();
  if (isOrderId(own)) return own;
  const bytes = hash('sha256', `${platform}:${id}`, 'buffer').subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** An amount with decimals, as 11.5 of USD, in minor units: 1150. */
export function minorUnits(amount: number, currency: string): number {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const scaled = amount * 10 ** (format.resolvedOptions().maximumFractionDigits ?? 0);
  const minor = Math.round(scaled);
  if (Math.abs(scaled - minor) < 1e-4) return minor;
  throw new MappingError(`${amount} is no whole number of minor units of ${currency}`);
}

/** A count of pieces, of which the kitchen makes whole ones. */
export function wholeNumber(quantity: number | string, field: string): number {
  const count = Number(quantity);
  if (Number.isInteger(count) && count > 0) return count;
  throw new MappingError(
    `${field} is ${quantity}: goods by weight have no place in an order; send one piece with its price`,
  );
}

/** RFC 3339 wants a colon in the offset, which some platforms leave out: `+0000`. */
export function instantOf(text: string): string {
  return text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2');
}

/** Without what is absent or empty: metadata has texts only. */
export function metadataOf(entries: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
  const kept = Object.entries(entries).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

/** An allergen as a crew reads it: `TREE_NUTS` becomes `tree nuts`. */
export function allergyOf(allergen: string): string {
  return allergen.toLowerCase().replaceAll('_', ' ');
}
