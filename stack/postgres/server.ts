import { access, chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connectDatabase } from '../../store/database.ts';
import { run } from '../commands.ts';
import { type Part, portOf } from '../part.ts';
import { type PostgresBinaries, postgresBinaries } from './binaries.ts';
import { giveTo, type ServerIdentity, serverIdentity } from './identity.ts';

const USER = 'postgres';
/** No secret: the server listens on the loopback address only. */
const PASSWORD = 'ordermesh';
const DATABASE = 'ordermesh';

/** Throughput without giving up durability: `fsync`, `synchronous_commit` and `full_page_writes` stay on. */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  work_mem: '16MB',
  maintenance_work_mem: '128MB',
  // Nothing replicates from this server.
  wal_level: 'minimal',
  max_wal_senders: '0',
  wal_buffers: '16MB',
  // Fewer checkpoints mean fewer whole pages in the log.
  min_wal_size: '512MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  random_page_cost: '1.1',
  // Statements are short and many: compiling them costs more than it saves.
  jit: 'off',
  log_min_messages: 'warning',
};

export const postgres: Part = {
  name: 'postgres',
  title: 'PostgreSQL',
  variable: 'DATABASE_URL',
  portNames: ['postgres'],
  async start({ directory, ports, servers }) {
    const port = portOf(ports, 'postgres');
    const binaries = await postgresBinaries();
    const identity = await serverIdentity(binaries.initdb);
    const data = path.join(directory, 'data');
    if (!(await isInitialised(data))) await initialise(binaries, identity, directory, data);
    await giveTo(identity.owner, data);
    // Whoever wrote it has ended: the stack's lock is ours, and leftovers were ended. Its process id may be another's by now.
    await rm(path.join(data, 'postmaster.pid'), { force: true });

    const flags = Object.entries({ port: String(port), ...settings }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    const [command = binaries.postgres, ...args] = [...identity.prefix, binaries.postgres, '-D', data, ...flags];
    const url = (database: string) => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`;
    const server = await servers.start(
      // SIGINT is its fast shutdown: it does not wait for clients to leave.
      { name: 'postgres', command, args, signal: 'SIGINT', spawnOptions: { cwd: data, ...identity.spawnAs } },
      () => createDatabase(url('postgres')),
    );
    return { server, environment: { DATABASE_URL: url(DATABASE) } };
  },
};

/** Written last by `initialise`. */
const marker = (data: string) => path.join(data, 'ordermesh.initialised');

async function isInitialised(data: string): Promise<boolean> {
  return access(marker(data)).then(
    () => true,
    () => false,
  );
}

async function initialise(
  { initdb }: PostgresBinaries,
  identity: ServerIdentity,
  directory: string,
  data: string,
): Promise<void> {
  await rm(data, { recursive: true, force: true });
  await mkdir(data, { mode: 0o700 });
  await giveTo(identity.owner, data);
  const passwordFile = path.join(directory, 'password');
  await writeFile(passwordFile, `${PASSWORD}\n`);
  await chmod(passwordFile, 0o644);
  const options = ['-D', data, '-U', USER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
  const locale = ['--encoding=UTF8', '--locale=C'];
  const [command = initdb, ...args] = [...identity.prefix, initdb, ...options, ...locale];
  try {
    await run(command, args, {
      cwd: data,
      ...identity.spawnAs,
      doing: 'initialising PostgreSQL',
      missing: `${command} is not there; run make install`,
    });
    await writeFile(marker(data), '');
  } finally {
    await rm(passwordFile);
  }
}

/** The first query of a server that really serves. */
async function createDatabase(url: string): Promise<void> {
  const sql = connectDatabase({ url, connections: 1, application: 'stack' });
  try {
    const existing = await sql`select from pg_database where datname = ${DATABASE}`;
    if (existing.length === 0) await sql.unsafe(`create database ${DATABASE}`);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
