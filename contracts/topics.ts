/** The topics of orders. All are keyed by orderId; an order's records share one partition number in each of them. */
export const topics = {
  rawOrders: 'raw-orders',
  validatedOrders: 'validated-orders',
  rejectedOrders: 'rejected-orders',
} as const;

/**
 * Says which region is the active one. A topic of each region's own cluster, never mirrored; it exists only if two regions share the mesh.
 */
export const regionStateTopic = 'region-state';

/** Consumer groups, one per role. */
export const groups = {
  orderValidator: 'order-validator',
  payment: 'payment',
  kitchen: 'kitchen',
  bridge: 'bridge',
} as const;

/** Which group reads which topic. The dead-letter topics follow from it. */
export const subscriptions = [
  { group: groups.orderValidator, topic: topics.rawOrders },
  { group: groups.payment, topic: topics.validatedOrders },
  { group: groups.kitchen, topic: topics.validatedOrders },
  { group: groups.bridge, topic: topics.validatedOrders },
] as const;

export function deadLetterTopic(topic: string, group: string): string {
  return `${topic}.${group}.dlt`;
}

/** What each store can sell, keyed by its id; compacted, so that the last record of a store stays. */
export const menuEventsTopic = 'menu-events';

/** Every topic with records of orders, keyed by orderId. */
export const orderTopics: readonly string[] = [
  ...Object.values(topics),
  ...subscriptions.map(({ topic, group }) => deadLetterTopic(topic, group)),
];

/** Every topic of the mesh. */
export const allTopics: readonly string[] = [...orderTopics, menuEventsTopic];

/** Settings of a topic beside those that all topics have. */
export const ownSettings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [menuEventsTopic]: { 'cleanup.policy': 'compact' },
};
