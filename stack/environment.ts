import { type Config, type ConnectedConfig, loadConfig } from '../contracts/config/config.ts';
import { fileSuffix } from '../contracts/config/secret.ts';
import { UsageError } from '../contracts/failure.ts';

/**
 * The configuration from the environment; addresses that it leaves out come from the embedded stack that runs in this data directory.
 * @throws ConfigError for a bad variable
 * @throws UsageError when there is neither an address nor a running stack
 */
export async function connectedConfig(): Promise<ConnectedConfig> {
  const config = await completedConfig();
  if (hasServers(config)) return config;
  throw missing(config, ['KAFKA_BROKERS', 'DATABASE_URL']);
}

/**
 * The same for a role that works without PostgreSQL: the gateway takes orders, and answers questions for their status with 503.
 * @throws ConfigError for a bad variable
 * @throws UsageError when there is neither an address of Kafka nor a running stack
 */
export async function kafkaConfig(): Promise<Config> {
  const config = await completedConfig();
  if (config.KAFKA_BROKERS === undefined) throw missing(config, ['KAFKA_BROKERS']);
  return config;
}

/**
 * The same for a command that needs PostgreSQL alone, as the owner of the tables where one is configured.
 * @throws ConfigError for a bad variable
 * @throws UsageError when there is neither an address of PostgreSQL nor a running stack
 */
export async function migrationConfig(): Promise<ConnectedConfig> {
  const config = await completedConfig();
  const owner = config.ORDERMESH_MIGRATION_DATABASE_URL ?? config.DATABASE_URL;
  if (owner === undefined) throw missing(config, ['DATABASE_URL']);
  return { ...config, DATABASE_URL: owner } as ConnectedConfig;
}

/**
 * The same for a command that needs PostgreSQL alone.
 * @throws ConfigError for a bad variable
 * @throws UsageError when there is neither an address of PostgreSQL nor a running stack
 */
export async function databaseConfig(): Promise<Config & Pick<ConnectedConfig, 'DATABASE_URL'>> {
  const config = await completedConfig();
  const { DATABASE_URL } = config;
  if (DATABASE_URL === undefined) throw missing(config, ['DATABASE_URL']);
  return { ...config, DATABASE_URL };
}

async function completedConfig(): Promise<Config> {
  const config = loadConfig();
  if (hasServers(config)) return config;
  const { runningStackEnvironment } = await import('./state.ts');
  const found = await runningStackEnvironment(config.ORDERMESH_DATA_DIR);
  const given = defined(process.env);
  return loadConfig({ ...withoutSecretsOf(given, found), ...given });
}

function missing(config: Config, names: (keyof Config)[]): UsageError {
  const unset = names.filter((name) => config[name] === undefined);
  return new UsageError(
    `${unset.join(' and ')} not set, and no stack runs in ${config.ORDERMESH_DATA_DIR}: set ${unset.length > 1 ? 'them' : 'it'} or start one with \`make run\``,
  );
}

function hasServers(config: Config): config is ConnectedConfig {
  return config.KAFKA_BROKERS !== undefined && config.DATABASE_URL !== undefined;
}

/** A secret that the user gives as a file must not meet the stack's text of the same secret. */
function withoutSecretsOf(
  given: NodeJS.ProcessEnv,
  found: Record<string, string> = {},
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(found).filter(([name]) => given[name + fileSuffix] === undefined));
}

/** An empty variable counts as unset everywhere, so it must not hide an address of the stack. */
function defined(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
}
