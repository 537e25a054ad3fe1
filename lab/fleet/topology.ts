// The hosts of a fleet, their addresses and what runs on each. Used by every file of the fleet.

import type { RoleName } from '../../contracts/roles.ts';

/** A network of its own, of which nothing outside knows. */
const NETWORK = '10.77.0';
export const PREFIX_BITS = 24;
/** Where the tills are, and what starts, watches and judges the fleet. */
export const OFFICE = `${NETWORK}.1`;

export const ports = { kafka: 9092, controller: 9093, postgres: 5432, gateway: 8080, display: 8090, grpc: 8081 };

/** On the disk of a gateway: the public keys that sign tokens. */
export const KEYS_FILE = 'jwks.json';

export type HostKind = 'broker' | 'database' | 'gateway' | 'workers' | 'display';

export interface HostPlan {
  name: string;
  kind: HostKind;
  address: string;
}

const plan = (kind: HostKind, first: number, ...names: string[]): HostPlan[] =>
  names.map((name, index) => ({ name, kind, address: `${NETWORK}.${first + index}` }));

export const brokers = plan('broker', 21, 'broker-1', 'broker-2', 'broker-3');
export const database = plan('database', 31, 'database')[0] as HostPlan;
export const gateways = plan('gateway', 11, 'gateway-1', 'gateway-2');
/** Three processes of each worker role; the last host is added under load. */
export const workers = plan('workers', 41, 'workers-1', 'workers-2', 'workers-3');
export const addedWorkers = plan('workers', 44, 'workers-4')[0] as HostPlan;
export const display = plan('display', 51, 'display')[0] as HostPlan;

export const allHosts: readonly HostPlan[] = [...brokers, database, ...gateways, ...workers, display, addedWorkers];

export const kafkaBrokers = brokers.map(({ address }) => `${address}:${ports.kafka}`);
export const databaseUrl = `postgres://postgres:ordermesh@${database.address}:${ports.postgres}/ordermesh`;
export const gatewayUrls = gateways.map(({ address }) => new URL(`http://${address}:${ports.gateway}`));

export interface HostedRole {
  role: RoleName;
  args: string[];
}

/** The roles of a host, as its service manager starts them. */
export const rolesOf: Readonly<Record<HostKind, readonly HostedRole[]>> = {
  broker: [],
  database: [],
  gateway: [{ role: 'gateway', args: ['gateway'] }],
  workers: (['order-validator', 'payment', 'kitchen'] as const).map((role) => ({ role, args: ['worker', role] })),
  display: [{ role: 'display', args: ['display'] }],
};
