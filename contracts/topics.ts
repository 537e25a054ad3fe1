/** The topics of the mesh. All are keyed by orderId; an order's records share one partition number in each of them. */
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

/** Every topic that must exist before the first order. */
export const allTopics: readonly string[] = [
  ...Object.values(topics),
  ...subscriptions.map(({ topic, group }) => deadLetterTopic(topic, group)),
];
