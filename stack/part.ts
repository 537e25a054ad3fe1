// The interface of a server in the embedded stack: Kafka, PostgreSQL and the emulators have it. stack.ts starts them by it.

import type { Config } from '../contracts/config/config.ts';
import type { Server, Servers } from './servers.ts';

/** What a part of the stack gets to start with. Paths are absolute. */
export interface PartContext {
  config: Config;
  /** The part's own directory below the data directory; it exists. */
  directory: string;
  cacheDir: string;
  /** By the part's port names. */
  ports: Record<string, number>;
  servers: Servers;
  /** Whether an emulator gets the lowest priority; it does by default. */
  background?: boolean;
  /** Aborted when the stack stops while the part still starts. */
  signal?: AbortSignal;
}

export interface StartedPart {
  server: Server;
  /** Environment variables with its addresses. */
  environment: Record<string, string>;
}

/** One server of the embedded stack. */
export interface Part {
  name: string;
  /** For people. */
  title: string;
  /** The variable that names a server of the user's, which makes this part unnecessary. */
  variable: 'KAFKA_BROKERS' | 'DATABASE_URL' | 'PUBSUB_EMULATOR_HOST' | 'BIGQUERY_EMULATOR_HOST';
  portNames: readonly string[];
  /** Resolves once it really serves. */
  start(context: PartContext): Promise<StartedPart>;
}

export function portOf(ports: Record<string, number>, name: string): number {
  const port = ports[name];
  if (port === undefined) throw new Error(`no port was chosen for ${name}`);
  return port;
}
