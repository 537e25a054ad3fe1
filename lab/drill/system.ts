import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../../contracts/config/config.ts';
import { applyTopics, withAdmin } from '../../kafka/index.ts';
import {
  choosePorts,
  lockDataDir,
  portOf,
  Servers,
  startKnot,
  startPostgres,
  userCacheDir,
} from '../../stack/index.ts';
import { loadMenu, migrateAt, withDatabase } from '../../store/index.ts';
import { chainMenuFile } from '../traffic/chain.ts';
import { Edges } from './edges.ts';
import { runOrdermesh } from './operator.ts';
import { DrillRegion } from './region.ts';
import { hostOf, PUBLIC_NAME, portNames, TTL_SECONDS, ZONE } from './topology.ts';
import { drillStores } from './traffic.ts';

const KEY_NAME = 'failover';

export interface DrillSystem {
  east: DrillRegion;
  west: DrillRegion;
  edges: Edges;
  publicUrl: URL;
  dnsServer: string;
  regionsFile: string;
  close(): Promise<void>;
}

/** Starts two regions, the east active and the west following it, a DNS server, and an agent in each of some stores. */
export async function startDrillSystem(options: {
  config: Config;
  directory: string;
  say(line: string): void;
}): Promise<DrillSystem> {
  const { config, directory, say } = options;
  const unlock = await lockDataDir(directory);
  for (const entry of await readdir(directory))
    if (entry !== 'stack.lock') await rm(path.join(directory, entry), { recursive: true });
  const ports = await choosePorts(portNames(), {});
  let closing = false;
  const servers = new Servers(directory, (name, reason) => closing || say(`${name} is gone: ${reason}`));
  const cacheDir = await userCacheDir(config);
  let edges: Edges | undefined;
  const regions: DrillRegion[] = [];
  const close = async () => {
    closing = true;
    await edges?.stop();
    await Promise.all(regions.map((region) => region.stopRoles()));
    await servers.stopAll('SIGKILL');
    await unlock();
  };
  try {
    const dnsPort = portOf(ports, 'dns');
    const dnsServer = `127.0.0.1:${dnsPort}`;
    const secret = randomBytes(32).toString('base64');
    const dnsDirectory = path.join(directory, 'dns');
    const providerDirectory = path.join(directory, 'provider');
    await Promise.all([mkdir(dnsDirectory), mkdir(providerDirectory)]);
    const records = [`orders ${TTL_SECONDS} A ${hostOf.east}`];
    const key = { name: KEY_NAME, secret };
    // Without it nothing else is worth the start.
    await startKnot({
      directory: dnsDirectory,
      cacheDir,
      port: dnsPort,
      zone: { name: ZONE, records, key },
      servers,
      onProgress: say,
    });
    const provider = await startPostgres({
      name: 'provider',
      directory: providerDirectory,
      port: portOf(ports, 'provider'),
      servers,
      settings: { shared_buffers: '32MB', max_connections: '50' },
    });
    const ledgerUrl = provider.environment.DATABASE_URL ?? '';
    await migrateAt(ledgerUrl, 'provider');
    const common = { directory, cacheDir, ports, ledgerUrl, servers, say };
    const east = new DrillRegion({ ...common, name: 'east', peer: 'west' });
    const west = new DrillRegion({ ...common, name: 'west', peer: 'east' });
    regions.push(east, west);
    say('starting two Kafka clusters and their databases');
    await Promise.all([east.startKafka(), west.startKafka(), east.startDatabase()]);
    await withDatabase(east.config, async (sql) => loadMenu(sql, JSON.parse(await readFile(chainMenuFile, 'utf8'))));
    await Promise.all([
      west.followDatabaseOf(east),
      ...regions.map((region) => withAdmin(region.config, (admin) => applyTopics(admin, region.config))),
    ]);

    const publicUrl = `http://${PUBLIC_NAME}:${portOf(ports, 'gateway')}`;
    const secretFile = path.join(directory, 'tsig.key');
    await writeFile(secretFile, `${secret}\n`, { mode: 0o600 });
    const regionsFile = path.join(directory, 'regions.json');
    const addresses = ({ name, brokers, databaseUrl }: DrillRegion) => ({
      brokers,
      databaseUrl,
      address: hostOf[name],
    });
    const file = {
      regions: { east: addresses(east), west: addresses(west) },
      publicUrl,
      ttlSeconds: TTL_SECONDS,
      dns: { server: dnsServer, zone: ZONE, key: { name: KEY_NAME, secretFile: 'tsig.key' } },
    };
    await writeFile(regionsFile, `${JSON.stringify(file, null, 2)}\n`);
    await runOrdermesh(['region', 'init', '--active', 'east', '--regions', regionsFile], east.environment());
    say('starting the roles of both regions and three edge agents');
    edges = await Edges.start({
      stores: drillStores().edge,
      config: east.config,
      directory,
      ports,
      publicUrl,
      dnsServer,
      say,
    });
    await Promise.all([east.startRoles(), west.startRoles()]);
    await Promise.all([east.ready(), edges.ready()]);
    return { east, west, edges, publicUrl: new URL(publicUrl), dnsServer, regionsFile, close };
  } catch (error) {
    await close();
    throw error;
  }
}
