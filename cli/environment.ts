import { type Config, loadConfig } from '../contracts/config.ts';
import { UsageError } from './failure.ts';

/** A configuration that knows where Kafka and PostgreSQL are. */
export type ConnectedConfig = Config & { KAFKA_BROKERS: string[]; DATABASE_URL: string };

/**
 * The configuration from the environment; addresses that it leaves out come from the embedded stack that runs in this data directory.
 * @throws ConfigError for a bad variable
 * @throws UsageError when there is neither an address nor a running stack
 */
export async function connectedConfig(): Promise<ConnectedConfig> {
  const config = loadConfig();
  if (hasServers(config)) return config;
  const { runningStackEnvironment } = await import('../stack/index.ts');
  const found = await runningStackEnvironment(config.ORDERMESH_DATA_DIR);
  const completed = loadConfig({ ...found, ...defined(process.env) });
  if (hasServers(completed)) return completed;
  const missing = ['KAFKA_BROKERS', 'DATABASE_URL'].filter((name) => completed[name as keyof Config] === undefined);
  throw new UsageError(
    `${missing.join(' and ')} not set, and no stack runs in ${config.ORDERMESH_DATA_DIR}: set ${missing.length > 1 ? 'them' : 'it'} or start one with \`make run\``,
  );
}

function hasServers(config: Config): config is ConnectedConfig {
  return config.KAFKA_BROKERS !== undefined && config.DATABASE_URL !== undefined;
}

/** An empty variable counts as unset everywhere, so it must not hide an address of the stack. */
function defined(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
}
