// The brokers, zones and ports of a chaos run. Used by the files beside it that start and break them.

/** Node ids of the brokers. */
export const brokers = [1, 2, 3] as const;

/**
 * Parts of the network that a cut separates: the processes of a zone reach each server through proxies of their own. The first and the
 * second worker of a role stand in different zones, so that a cut can hit one and spare its twin.
 */
export const zones = ['front', 'workers-1', 'workers-2'] as const;
export type Zone = (typeof zones)[number];

export type ServerName = (typeof brokers)[number] | 'database';
export const serverNames: readonly ServerName[] = [...brokers, 'database'];

/** Name of the proxy between a zone and a server. */
export function proxyName(zone: Zone, server: number | 'database'): string {
  return server === 'database' ? `${zone}-database` : `${zone}-broker-${server}`;
}

/** Name of the port between the Toxiproxy of a workers' zone and the broker, where single answers are lost. */
export function wireName(zone: Zone, broker: number): string {
  return `wire-${zone}-${broker}`;
}

/** Kafka's name for the listener whose clients are in that zone. */
export function listenerName(zone: Zone): string {
  return zone.toUpperCase().replace('-', '');
}

/** Names of all ports that a run needs. */
export function portNames(): string[] {
  return [
    'toxiproxy',
    'postgres',
    'gateway',
    'grpc',
    'display',
    ...brokers.flatMap((id) => [
      `broker-${id}`,
      `controller-${id}`,
      ...zones.flatMap((zone) => [`listener-${zone}-${id}`, wireName(zone, id), proxyName(zone, id)]),
    ]),
    ...zones.map((zone) => proxyName(zone, 'database')),
  ];
}

export function portIn(ports: Readonly<Record<string, number>>, name: string): number {
  const port = ports[name];
  if (port === undefined) throw new Error(`no port was chosen for ${name}`);
  return port;
}
