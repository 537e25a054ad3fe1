// What all registers of paired screens agree on: the region's in PostgreSQL, and a restaurant's in a file of its agent.

import { randomBytes } from 'node:crypto';

/** A screen in use keeps its admission for this long after it was seen last. */
export const SCREEN_KEPT_MS = 90 * 24 * 3_600_000;
/** How often a use is noted. */
export const SCREEN_SEEN_EVERY_MS = 10 * 60_000;

/** Short, because a person types it: `ordermesh display revoke scr-…`. */
export function newScreenId(): string {
  return `scr-${randomBytes(6).toString('hex')}`;
}
