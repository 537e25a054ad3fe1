/** Two regions on one machine: each on a loopback address of its own, so that one name can lead to either on the same port. */
export const regionNames = ['east', 'west'] as const;
export type RegionName = (typeof regionNames)[number];

export const hostOf: Readonly<Record<RegionName, string>> = { east: '127.0.0.11', west: '127.0.0.12' };

export const ZONE = 'ordermesh.test';
export const PUBLIC_NAME = `orders.${ZONE}`;
export const TTL_SECONDS = 5;

/** Stores whose points of sale send through an agent of their own. */
export const EDGE_STORES = 3;
/** Stores that send to the region directly. */
export const DIRECT_STORES = 3;

export const regionRoles = ['gateway', 'order-validator', 'payment', 'kitchen', 'display', 'mirror'] as const;
export type RegionRole = (typeof regionRoles)[number];

/** Names of all ports of a drill. The gateways' port is the same in both regions. */
export function portNames(): string[] {
  return [
    'dns',
    'provider',
    'gateway',
    ...regionNames.flatMap((region) => [
      ...['kafka', 'controller', 'postgres', 'grpc', 'display'].map((name) => `${region}-${name}`),
      ...regionRoles.map((role) => `${region}-admin-${role}`),
    ]),
    ...Array.from({ length: EDGE_STORES }, (_, n) => [`edge-${n}`, `edge-admin-${n}`]).flat(),
  ];
}
