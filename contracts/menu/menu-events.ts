// The event of a store's menu. Written by gateway/menus/ and `ordermesh menu`, read by every gateway.

import { menuEventType } from '../events.ts';
import { eventHeaders } from '../headers.ts';
import { menuEventsTopic } from '../topics.ts';
import type { UnavailableItem } from './availability.ts';

/**
 * The whole state of a store, because the topic is compacted: its last record of a store says everything. Of two events of a store the one
 * with the higher `menuVersion`, and then the higher `revision`, is the newer.
 */
export interface MenuChanged {
  storeId: string;
  /** RFC 3339. */
  occurredAt: string;
  /** The number of loads so far; a higher one says that the store's menu is to be read again. */
  menuVersion: number;
  /** Goes up with every change of what this store can sell or has counted. */
  revision: number;
  unavailable: readonly UnavailableItem[];
}

/** The record of an event. `source` is the URI reference of the role that made it. */
export function menuEventRecord(event: MenuChanged, source: string) {
  const { storeId, occurredAt, menuVersion, revision } = event;
  return {
    topic: menuEventsTopic,
    key: storeId,
    value: JSON.stringify(event),
    headers: eventHeaders({
      id: `${storeId}/${menuEventType}/${menuVersion}-${revision}`,
      type: menuEventType,
      source,
      time: occurredAt,
      subject: storeId,
    }),
  };
}
