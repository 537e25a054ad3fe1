// What each role may do in Kafka: one table. `topics apply --acls`, the embedded stack and the documentation are made from it.

import {
  allTopics,
  deadLetterTopic,
  groups,
  menuEventsTopic,
  regionStateTopic,
  subscriptions,
  topics,
} from './topics.ts';

/** Kafka's names of operations that we grant. */
export type AclOperation =
  | 'READ'
  | 'WRITE'
  | 'CREATE'
  | 'DELETE'
  | 'ALTER'
  | 'DESCRIBE'
  | 'DESCRIBE_CONFIGS'
  | 'ALTER_CONFIGS'
  | 'CLUSTER_ACTION'
  | 'IDEMPOTENT_WRITE';

export interface AccessRight {
  resource: 'TOPIC' | 'GROUP' | 'CLUSTER';
  /** Name of the topic or group, or its beginning; `kafka-cluster` for the cluster. With `eachRegion` in it, one right for each region. */
  name: string;
  isPrefix?: boolean;
  operations: readonly AclOperation[];
}

/** Roles with a user of their own, and `operator`: who runs the commands of `ordermesh`. */
export const principalRoles = [
  'gateway',
  'order-validator',
  'payment',
  'kitchen',
  'display',
  'bridge',
  'mirror',
  'operator',
] as const;
export type PrincipalRole = (typeof principalRoles)[number];

/** The user of each role whose name begins alike: `User:ordermesh-` makes `User:ordermesh-gateway`. */
export function principalsWith(prefix: string): Record<PrincipalRole, string> {
  return Object.fromEntries(principalRoles.map((role) => [role, prefix + role])) as Record<PrincipalRole, string>;
}

/** Kafka's name of the cluster as a resource. */
export const clusterResource = 'kafka-cluster';

const topic = (name: string, ...operations: AclOperation[]): AccessRight => ({ resource: 'TOPIC', name, operations });
const group = (name: string, ...operations: AclOperation[]): AccessRight => ({ resource: 'GROUP', name, operations });
const cluster = (...operations: AclOperation[]): AccessRight => ({
  resource: 'CLUSTER',
  name: clusterResource,
  operations,
});

/** Stands in a name for that of a region: MirrorMaker names a topic after the region that it copies from. */
export const eachRegion = '<region>';

/** Every role asks which region is active; in a mesh of one region the topic does not exist. */
const whoIsActive = topic(regionStateTopic, 'READ', 'DESCRIBE');

/** Reads its topic as a member of its group, writes its outputs and its dead letters, and reads the dead letters again for a replay. */
function worker(name: string, ...outputs: string[]): AccessRight[] {
  const read: string[] = subscriptions
    .filter((subscription) => subscription.group === name)
    .map((subscription) => subscription.topic);
  return [
    ...read.map((source) => topic(source, 'READ', 'DESCRIBE')),
    group(name, 'READ', 'DESCRIBE'),
    ...outputs.filter((output) => !read.includes(output)).map((output) => topic(output, 'WRITE', 'DESCRIBE')),
    ...outputs.filter((output) => read.includes(output)).map((output) => topic(output, 'WRITE')),
    ...read.map((source) => topic(deadLetterTopic(source, name), 'READ', 'WRITE', 'DESCRIBE')),
    whoIsActive,
  ];
}

/** Positions of every group, to tell how far an order has come. */
const positions = Object.values(groups).map((name) => group(name, 'DESCRIBE'));

/**
 * The least that each role needs. Idempotent producers need no right of their own since Kafka 2.8: WRITE on a topic is enough.
 * Warehouse, loyalty and the edge agent do not use Kafka.
 */
export const accessRights: Readonly<Record<PrincipalRole, readonly AccessRight[]>> = {
  gateway: [
    topic(topics.rawOrders, 'READ', 'WRITE', 'DESCRIBE'),
    // What becomes of an order: pushed to the clients, and looked up while the database does not know the order yet.
    topic(topics.validatedOrders, 'READ', 'DESCRIBE'),
    topic(topics.rejectedOrders, 'READ', 'DESCRIBE'),
    group(groups.orderValidator, 'DESCRIBE'),
    topic(menuEventsTopic, 'READ', 'WRITE', 'DESCRIBE'),
    whoIsActive,
  ],
  'order-validator': worker(groups.orderValidator, topics.validatedOrders, topics.rejectedOrders),
  payment: worker(groups.payment, topics.validatedOrders),
  kitchen: worker(groups.kitchen, topics.validatedOrders),
  display: [
    topic(topics.rawOrders, 'DESCRIBE'),
    topic(topics.validatedOrders, 'WRITE', 'DESCRIBE'),
    ...positions,
    whoIsActive,
  ],
  bridge: worker(groups.bridge),
  mirror: [
    // MirrorMaker copies into, and out of, every topic of the mesh, and makes its own topics and groups.
    ...allTopics.map((name) =>
      topic(name, 'READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER', 'ALTER_CONFIGS'),
    ),
    topic(regionStateTopic, 'READ', 'WRITE', 'DESCRIBE'),
    { ...topic('mm2-', 'READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DESCRIBE_CONFIGS'), isPrefix: true },
    topic(`${eachRegion}.checkpoints.internal`, 'READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DESCRIBE_CONFIGS'),
    topic(
      `${eachRegion}.heartbeats`,
      ...(['READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER', 'ALTER_CONFIGS'] as const),
    ),
    { ...group('mm2-', 'READ', 'DESCRIBE'), isPrefix: true },
    topic('heartbeats', 'READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DESCRIBE_CONFIGS'),
    ...Object.values(groups).map((name) => group(name, 'READ', 'DESCRIBE')),
    cluster('DESCRIBE', 'CREATE'),
  ],
  operator: [
    ...[...allTopics, regionStateTopic].map((name) =>
      topic(name, 'READ', 'WRITE', 'CREATE', 'DELETE', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER', 'ALTER_CONFIGS'),
    ),
    { ...topic('mm2-', 'READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DESCRIBE_CONFIGS'), isPrefix: true },
    ...Object.values(groups).map((name) => group(name, 'READ', 'DESCRIBE')),
    cluster('DESCRIBE', 'ALTER', 'CREATE'),
  ],
};
