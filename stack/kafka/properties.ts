// Makes the configuration files of Kafka's programs. Used by broker.ts, mirror-maker.ts and the lab.

import { type BrokerSecurity, securitySettings } from './broker-security.ts';

/** A listener beside the broker's own, whose clients are told another address, for example that of a proxy. */
export interface ClientListener {
  /** Kafka's name for it: capital letters and digits. */
  name: string;
  port: number;
  /** `host:port` that clients are told. */
  advertised: string;
  /** The broker's own by default; `SSL` tells users by their certificates. */
  protocol?: 'SSL';
}

export interface BrokerOptions {
  port: number;
  controllerPort: number;
  logDir: string;
  /** 1 by default. */
  nodeId?: number;
  /** Controller ports of all nodes of the cluster by node id; by default this node is alone. */
  controllers?: ReadonlyMap<number, number>;
  clientListeners?: readonly ClientListener[];
  /** With it, every listener takes TLS and a user. */
  security?: BrokerSecurity | undefined;
  /** Further settings by Kafka's names; they win. */
  settings?: Readonly<Record<string, string>>;
}

const FLUSH_INTERVAL_MS = 1_000;

/** The configuration of a node that is broker and controller. Kafka's own topics have a replica on up to three nodes. */
export function serverProperties(options: BrokerOptions): string {
  const { port, controllerPort, logDir, nodeId = 1, clientListeners = [], security, settings = {} } = options;
  const own = security === undefined ? 'PLAINTEXT' : 'SASL_SSL';
  const controllers = options.controllers ?? new Map([[nodeId, controllerPort]]);
  const replicas = String(Math.min(3, controllers.size));
  const inSync = String(Math.max(1, Math.min(3, controllers.size) - 1));
  const clients = (line: (listener: ClientListener) => string) => clientListeners.map(line);
  return properties({
    'process.roles': 'broker,controller',
    'node.id': String(nodeId),
    'controller.quorum.voters': [...controllers].map(([id, at]) => `${id}@127.0.0.1:${at}`).join(','),
    listeners: [
      `${own}://127.0.0.1:${port}`,
      `CONTROLLER://127.0.0.1:${controllerPort}`,
      ...clients((listener) => `${listener.name}://127.0.0.1:${listener.port}`),
    ].join(','),
    'advertised.listeners': [
      `${own}://127.0.0.1:${port}`,
      ...clients(({ name, advertised }) => `${name}://${advertised}`),
    ].join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': own,
    'listener.security.protocol.map': [
      `CONTROLLER:${own}`,
      `${own}:${own}`,
      ...clients(({ name, protocol = own }) => `${name}:${protocol}`),
    ].join(','),
    'log.dirs': logDir,
    'num.partitions': '12',
    // Topics are created on purpose, with the configured partitions.
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': '0',
    'offsets.topic.num.partitions': '4',
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': '4',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    // The default, 128 MiB, is too much for a broker with a small heap: its collector would never come to rest.
    'log.cleaner.dedupe.buffer.size': String(16 * 1024 * 1024),
    // What is not flushed, the kernel writes back some thirty seconds later, all at once: at full rate that is a gigabyte, and appends are slow for a second.
    // Each round of the scheduler flushes whatever is older than this, which is everything.
    'log.flush.interval.ms': '1',
    'log.flush.scheduler.interval.ms': String(FLUSH_INTERVAL_MS),
    'log.initial.task.delay.ms': String(FLUSH_INTERVAL_MS),
    ...(security === undefined ? {} : securitySettings(security, [own, ...clientListeners.map(({ name }) => name)])),
    ...settings,
  });
}

/** Warnings and errors on standard output, which is the log file. */
export function loggingProperties(): string {
  return properties({
    'rootLogger.level': 'warn',
    'rootLogger.appenderRef.out.ref': 'out',
    'appender.out.type': 'Console',
    'appender.out.name': 'out',
    'appender.out.layout.type': 'PatternLayout',
    'appender.out.layout.pattern': '%d %p %c{1} %m%n',
  });
}

function properties(entries: Record<string, string>): string {
  // A backslash starts an escape in this format.
  return Object.entries(entries)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('');
}
