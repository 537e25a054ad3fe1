// Starts the PostgreSQL of a chaos run, which faults stop and start again. Called by system.ts.

import type { Config } from '../../contracts/config/config.ts';
import { postgres, type Servers, type StartedPart } from '../../stack/index.ts';

export interface Database {
  /** Without a proxy in between: for what watches and judges. */
  readonly url: string;
  /** `fast` ends sessions and writes what is in memory; `immediate` is a crash, and the next start recovers from the log. */
  stop(how: 'fast' | 'immediate'): Promise<void>;
  /** Does nothing while it runs. */
  start(): Promise<void>;
}

/** PostgreSQL as `make run` starts it. */
export async function startDatabase(options: {
  config: Config;
  directory: string;
  cacheDir: string;
  port: number;
  servers: Servers;
}): Promise<Database> {
  const { port, ...context } = options;
  const start = () => postgres.start({ ...context, ports: { postgres: port } });
  const first = await start();
  let running: StartedPart | undefined = first;
  return {
    url: first.environment.DATABASE_URL ?? '',
    async stop(how) {
      await running?.server.stop(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
      running = undefined;
    },
    async start() {
      running ??= await start();
    },
  };
}
