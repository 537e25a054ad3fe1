// Tells WebSocket connections that the menu of their store has changed. Created by gateway.ts.

import { menuEventType } from '../../contracts/events.ts';
import type { MenuChanged } from '../../contracts/menu/menu-events.ts';
import { menuEventsTopic } from '../../contracts/topics.ts';
import { createTopicFeed, parsedValue, type TopicFeed, type TopicFeedOptions } from '../status/topic-feed.ts';

/** Best effort, as with statuses. Who must know the menu asks `GET /v1/menus/<store>`. */
export function createMenuFeed(options: Pick<TopicFeedOptions, 'cluster' | 'streams' | 'logger'>): TopicFeed {
  return createTopicFeed({
    ...options,
    what: 'changes of menus',
    topics: [menuEventsTopic],
    newsOf({ headers, value }) {
      if (String(headers.ce_type) !== menuEventType) return undefined;
      const event = parsedValue(value) as Partial<MenuChanged> | undefined;
      if (typeof event?.storeId !== 'string' || !Array.isArray(event.unavailable)) return undefined;
      const { storeId, menuVersion, revision, unavailable } = event;
      return { storeId, message: { type: menuEventType, storeId, menuVersion, revision, unavailable } };
    },
  });
}
