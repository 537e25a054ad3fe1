// Starts a DNS server that takes updates. Used by the drill and by tests.

import { access, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { installOnce } from '../cache.ts';
import { run } from '../commands.ts';
import { isPortFree } from '../ports.ts';
import type { Server, Servers } from '../servers.ts';

export const dnsMissing =
  'no DNS server found: install Knot DNS (Debian and Ubuntu: apt-get install knot; macOS: brew install knot)';

interface KnotBinary {
  file: string;
  env: NodeJS.ProcessEnv;
}

/** Where packages put it: outside of an ordinary user's PATH on Debian. */
const places = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/opt/homebrew/sbin',
  ...(process.env.PATH ?? '').split(path.delimiter),
];

/**
 * Knot DNS of this machine; where there is none and the machine has apt, its packages are unpacked once into the cache, which needs no root
 * and changes nothing else. @throws with what to install
 */
export async function knotBinary(cacheDir: string, onProgress: (line: string) => void): Promise<KnotBinary> {
  for (const place of places) {
    const file = path.join(place, 'knotd');
    if (place !== '' && (await isThere(file))) return { file, env: process.env };
  }
  const root = await installOnce(cacheDir, 'knot', async (target) => {
    onProgress('fetching Knot DNS with apt, once');
    await unpack(target).catch((error: Error) => {
      throw new Error(`${dnsMissing} (fetching its packages did not work: ${error.message})`, { cause: error });
    });
  });
  const libraries = path.join(root, 'usr/lib');
  const own = (await readdir(libraries, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const searched = own.map(({ name }) => path.join(libraries, name)).join(':');
  return { file: path.join(root, 'usr/sbin/knotd'), env: { ...process.env, LD_LIBRARY_PATH: searched } };
}

/** apt itself says which packages are missing here, the libraries among them. */
async function unpack(target: string): Promise<void> {
  const options = { doing: 'apt', missing: 'there is no apt on this machine' };
  const listed = await run('apt-get', ['install', '--print-uris', '-qq', '-y', 'knot'], options);
  const names = [...listed.matchAll(/ ([a-z0-9][^_ ]+)_\S+\.deb /g)].flatMap(([, name]) => name ?? []);
  if (names.length === 0) throw new Error('apt names no packages for it');
  const work = path.join(target, 'packages');
  await mkdir(work);
  await run('apt-get', ['download', '-qq', ...names], { ...options, cwd: work });
  for (const file of await readdir(work))
    await run('dpkg', ['-x', path.join(work, file), target], {
      doing: `unpacking ${file}`,
      missing: 'there is no dpkg',
    });
  await rm(work, { recursive: true });
  await access(path.join(target, 'usr/sbin/knotd'));
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

export interface Zone {
  /** For example `ordermesh.test`. */
  name: string;
  /** Records in the zone file's format, relative to the zone. */
  records: readonly string[];
  /** Who may change it. */
  key: { name: string; secret: string };
}

/** Starts the primary server of one zone, which takes updates that are signed with its key. Resolves once it listens. */
export async function startKnot(options: {
  directory: string;
  cacheDir: string;
  port: number;
  zone: Zone;
  servers: Servers;
  onProgress(line: string): void;
}): Promise<Server> {
  const { directory, cacheDir, port, zone, servers, onProgress } = options;
  const { file, env } = await knotBinary(cacheDir, onProgress);
  for (const own of ['run', 'database']) await mkdir(path.join(directory, own), { recursive: true });
  await writeFile(path.join(directory, `${zone.name}.zone`), zoneFile(zone));
  const configuration = path.join(directory, 'knot.conf');
  await writeFile(configuration, knotConfiguration(directory, port, zone));
  return servers.start(
    { name: 'knot', command: file, args: ['-c', configuration], signal: 'SIGTERM', spawnOptions: { env } },
    async () => {
      if (await isPortFree(port)) throw new Error('it does not listen');
    },
  );
}

function zoneFile({ name, records }: Zone): string {
  const head = [`$ORIGIN ${name}.`, '$TTL 5', `@ SOA ns hostmaster 1 3600 600 86400 5`, '@ NS ns', 'ns A 127.0.0.1'];
  return `${[...head, ...records].join('\n')}\n`;
}

function knotConfiguration(directory: string, port: number, { name, key }: Zone): string {
  return `server:
    rundir: "${path.join(directory, 'run')}"
    listen: 127.0.0.1@${port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "${path.join(directory, 'database')}"
log:
  - target: stdout
    any: warning
key:
  - id: ${key.name}
    algorithm: hmac-sha256
    secret: ${key.secret}
acl:
  - id: update
    action: update
    key: ${key.name}
zone:
  - domain: ${name}
    storage: "${directory}"
    file: "${name}.zone"
    acl: update
`;
}
