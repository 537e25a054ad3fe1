// How the servers of a fleet are set: small, because all hosts share the cores of one machine. Used by service-manager.ts.

export const brokerHeap = ['-Xms128m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Hosts vanish without a word: keepalives find out, so that their sessions do not hold locks for hours. */
export const databaseSettings = {
  shared_buffers: '64MB',
  maintenance_work_mem: '32MB',
  max_connections: '150',
  tcp_keepalives_idle: '5',
  tcp_keepalives_interval: '2',
  tcp_keepalives_count: '3',
};
