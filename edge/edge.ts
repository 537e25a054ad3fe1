import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Config, ConfigError } from '../contracts/config.ts';
import type { RunningRole } from '../contracts/roles.ts';
import { startIntakeServer } from '../gateway/server.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Forwarder } from './forwarder.ts';
import { Spool } from './spool.ts';
import { createSpoolIntake } from './spool-intake.ts';

/**
 * The agent in the restaurant: the gateway's way in on a durable spool, and the forwarder that brings the orders to the region.
 * @throws ConfigError before it touches the spool, when the upstream or its token is missing.
 */
export async function startEdge(config: Config, logger: Logger): Promise<RunningRole> {
  const upstream = config.ORDERMESH_EDGE_UPSTREAM;
  const tokenFile = config.ORDERMESH_EDGE_TOKEN_FILE;
  if (upstream === undefined)
    throw new ConfigError("ORDERMESH_EDGE_UPSTREAM is not set; it takes the URL of the region's gateway");
  if (tokenFile === undefined)
    throw new ConfigError("ORDERMESH_EDGE_TOKEN_FILE is not set; it takes a file with the store's token");
  const path = config.ORDERMESH_EDGE_SPOOL ?? `${config.ORDERMESH_DATA_DIR}/edge/spool.db`;
  mkdirSync(dirname(path), { recursive: true });
  const spool = new Spool({ path, unsentOrdersMax: config.ORDERMESH_EDGE_UNSENT_ORDERS_MAX });
  const forwarder = new Forwarder({
    spool,
    upstream,
    token: async () => (await readFile(tokenFile, 'utf8')).trim(),
    backoffMs: { first: 250, max: 30_000 },
    logger,
  });
  const intake = createSpoolIntake(spool, () => forwarder.wake());
  try {
    const server = await startIntakeServer({ config, logger, role: 'edge', intake });
    return {
      addresses: server.addresses,
      async close() {
        await forwarder.close();
        await server.close();
      },
    };
  } catch (error) {
    await forwarder.close();
    spool.close();
    throw error;
  }
}
