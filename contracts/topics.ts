/** The topics of the mesh. All are keyed by orderId; an order's records share one partition number in each of them. */
export const topics = {
  rawOrders: 'raw-orders',
  validatedOrders: 'validated-orders',
  rejectedOrders: 'rejected-orders',
} as const;

/** Which region is the active one, in a topic of each region's own cluster that is never mirrored. Only there where two regions share the mesh. */
export const regionStateTopic = 'region-state';

/** Consumer groups, one a role. */
export const groups = {
  orderValidator: 'order-validator',
  payment: 'payment',
  kitchen: 'kitchen',
  bridge: 'bridge',
} as const;

/** Which group reads which topic; with it come the dead-letter topics. */
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
