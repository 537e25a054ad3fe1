import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Config, ConfigError } from '../contracts/config/config.ts';
import { limits } from '../contracts/limits.ts';

/** The agent's settings beside those of the gateway, checked together. */
export interface EdgeSettings {
  upstream: string;
  tokenFile: string;
  spoolPath: string;
}

/** Where the spool of this configuration is. */
export function spoolPathOf(config: Config): string {
  return config.ORDERMESH_EDGE_SPOOL ?? `${config.ORDERMESH_DATA_DIR}/edge/spool.db`;
}

/** @throws ConfigError naming the variable and its valid values, before the agent writes to the disk. */
export function edgeSettings(config: Config): EdgeSettings {
  const { ORDERMESH_EDGE_UPSTREAM: upstream, ORDERMESH_EDGE_TOKEN_FILE: tokenFile } = config;
  if (upstream === undefined)
    throw new ConfigError("ORDERMESH_EDGE_UPSTREAM is not set; it takes the URL of the region's gateway");
  const { pathname, search } = new URL(upstream);
  if (pathname !== '/' || search !== '')
    throw new ConfigError(`ORDERMESH_EDGE_UPSTREAM is ${JSON.stringify(upstream)}; it takes a URL without a path`);
  if (tokenFile === undefined)
    throw new ConfigError("ORDERMESH_EDGE_TOKEN_FILE is not set; it takes a file with the store's token");
  const quota = config.ORDERMESH_EDGE_SPOOL_BYTES_MAX;
  if (quota < QUOTA_BYTES_MIN)
    throw new ConfigError(
      `ORDERMESH_EDGE_SPOOL_BYTES_MAX is ${quota} bytes; it takes at least ${QUOTA_BYTES_MIN}, a few of the largest orders`,
    );
  if (config.ORDERMESH_EDGE_BANDWIDTH_MAX === 0)
    throw new ConfigError(
      'ORDERMESH_EDGE_BANDWIDTH_MAX is 0; leave it out for no limit, or stop the agent to send nothing',
    );
  if (config.ORDERMESH_EDGE_KITCHEN !== 'off' && config.ORDERMESH_EDGE_KITCHEN_UPSTREAM === undefined)
    throw new ConfigError(
      "ORDERMESH_EDGE_KITCHEN_UPSTREAM is not set; with ORDERMESH_EDGE_KITCHEN it takes the URL of the region's kitchen display",
    );
  const spoolPath = spoolPathOf(config);
  if (isDirectory(spoolPath))
    throw new ConfigError(`ORDERMESH_EDGE_SPOOL is ${JSON.stringify(spoolPath)}, a directory; it takes a file path`);
  if (config.ORDERMESH_EDGE_SPOOL !== undefined && !isDirectory(dirname(spoolPath)))
    throw new ConfigError(
      `ORDERMESH_EDGE_SPOOL is ${JSON.stringify(spoolPath)}; its directory is not there: make it, or mount its disk`,
    );
  return { upstream, tokenFile, spoolPath };
}

const QUOTA_BYTES_MIN = 4 * limits.orderBytesMax;

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
