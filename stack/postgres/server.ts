// Starts PostgreSQL, alone or with a standby. Called by stack.ts and by the lab.

import { access, chmod, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connectDatabase, type Database } from '../../store/index.ts';
import { run } from '../commands.ts';
import { type Part, portOf, type StartedPart } from '../part.ts';
import type { Servers } from '../servers.ts';
import { answersTcp } from '../tcp-check.ts';
import { type PostgresBinaries, postgresBinaries } from './binaries.ts';
import { giveTo, type ServerIdentity, serverIdentity } from './identity.ts';
import { type DatabaseLogin, loginName } from './logins.ts';
import { createLogins, type ServerTls, serverTls, verified } from './security.ts';

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

/** An SSLRequest: the server answers it with one byte, from a process that it starts for the connection, before any login. */
const encryptionQuestion = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);

/** Nothing replicates from a server alone. */
const alone = { wal_level: 'minimal', max_wal_senders: '0' };

/** A standby that was away for a while finds what it missed, up to a bound. */
const replicated = { wal_level: 'replica', max_wal_senders: '4', wal_keep_size: '512MB', hot_standby: 'on' };

export const postgres: Part = {
  name: 'postgres',
  title: 'PostgreSQL',
  variable: 'DATABASE_URL',
  portNames: ['postgres'],
  start: ({ config, directory, ports, servers }) =>
    startPostgres({
      name: 'postgres',
      directory,
      port: portOf(ports, 'postgres'),
      servers,
      settings: alone,
      secured: config.ORDERMESH_STACK_DATABASE === 'tls-roles',
    }),
};

export interface PostgresOptions {
  name: string;
  /** The server's own; it exists. */
  directory: string;
  port: number;
  servers: Servers;
  /** Further settings by PostgreSQL's names; they win. */
  settings?: Readonly<Record<string, string>>;
  /** With TLS alone, and a login for each kind of process. */
  secured?: boolean;
  /** Port of the server that this one is a standby of; its data must be a base backup of that one. */
  standbyOf?: number;
}

/** Starts a server that others may replicate from, on data that it first initialises where there is none. Resolves once it answers. */
export async function startPostgres(options: PostgresOptions): Promise<StartedPart> {
  const { name, directory, port, servers, standbyOf } = options;
  const binaries = await postgresBinaries();
  const identity = await serverIdentity(binaries.initdb);
  const data = dataDirectory(directory);
  if (!(await isInitialised(data))) await initialise(binaries, identity, directory, data);
  await giveTo(identity.owner, data);
  // The process that wrote the file has ended: this process holds the stack's lock, and leftover servers were ended. The id may belong to another process by now.
  await rm(path.join(data, 'postmaster.pid'), { force: true });

  const source = `host=127.0.0.1 port=${standbyOf} user=${USER} password=${PASSWORD} application_name=${name}`;
  const standby = standbyOf === undefined ? {} : { primary_conninfo: source };
  const tls = options.secured ? await serverTls(directory, identity.owner) : undefined;
  const all = { port: String(port), ...settings, ...replicated, ...standby, ...options.settings, ...tls?.settings };
  const flags = Object.entries(all).flatMap(([setting, value]) => ['-c', `${setting}=${value}`]);
  const [command = binaries.postgres, ...args] = [...identity.prefix, binaries.postgres, '-D', data, ...flags];
  const server = await servers.start(
    // SIGINT is its fast shutdown: it does not wait for clients to leave.
    { name, command, args, signal: 'SIGINT', spawnOptions: { cwd: data, ...identity.spawnAs } },
    () => createDatabase(port, tls),
    (signal) => answersTcp(port, encryptionQuestion, signal),
  );
  return { server, environment: addresses(port, tls) };
}

function urlOf(port: number, database: string): string {
  return `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`;
}

/** In a secured stack commands work as operators, and `ordermesh migrate` as the owner. */
function addresses(port: number, tls: ServerTls | undefined): Record<string, string> {
  const url = urlOf(port, DATABASE);
  if (tls === undefined) return { DATABASE_URL: url };
  const as = (login: DatabaseLogin) => {
    const own = new URL(verified(url, tls.caFile));
    own.username = loginName(login);
    return own.href;
  };
  return { DATABASE_URL: as('operator'), ORDERMESH_MIGRATION_DATABASE_URL: as('owner') };
}

function dataDirectory(directory: string): string {
  return path.join(directory, 'data');
}

/**
 * Makes a server's directory a base backup of another server on this machine, with PostgreSQL's own two calls for it: the package brings the
 * server and not `pg_basebackup`. What the server writes to its log meanwhile is streamed when the standby starts. Data that was there before is gone.
 */
export async function copyAsStandby(source: { directory: string; port: number }, directory: string): Promise<void> {
  const target = dataDirectory(directory);
  await rm(target, { recursive: true, force: true });
  const sql = connectDatabase({ server: urlOf(source.port, 'postgres'), connections: 1, application: 'base-backup' });
  try {
    await sql`select pg_backup_start('standby', fast => true)`;
    const from = dataDirectory(source.directory);
    const left = new Set(
      ['postmaster.pid', 'postmaster.opts', 'standby.signal', 'pg_stat_tmp', 'pg_replslot'].map((name) =>
        path.join(from, name),
      ),
    );
    const log = path.join(from, 'pg_wal') + path.sep;
    await cp(from, target, { recursive: true, filter: (file) => !left.has(file) && !file.startsWith(log) });
    for (const name of ['pg_replslot', 'pg_stat_tmp', 'pg_wal/archive_status', 'pg_wal/summaries'])
      await mkdir(path.join(target, name), { recursive: true, mode: 0o700 });
    const [stopped] = await sql<
      { labelfile: string }[]
    >`select labelfile from pg_backup_stop(wait_for_archive => false)`;
    await writeFile(path.join(target, 'backup_label'), stopped?.labelfile ?? '');
    await writeFile(path.join(target, 'standby.signal'), '');
    await chmod(target, 0o700);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

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
async function createDatabase(port: number, tls: ServerTls | undefined): Promise<void> {
  const as = (database: string) =>
    tls === undefined ? urlOf(port, database) : verified(urlOf(port, database), tls.caFile);
  await withConnection(as('postgres'), async (sql) => {
    const existing = await sql`select from pg_database where datname = ${DATABASE}`;
    if (existing.length === 0) await sql.unsafe(`create database ${DATABASE}`);
  });
  if (tls !== undefined) await withConnection(as(DATABASE), (sql) => createLogins(sql, PASSWORD));
}

async function withConnection(url: string, use: (sql: Database) => Promise<void>): Promise<void> {
  const sql = connectDatabase({ server: url, connections: 1, application: 'stack' });
  try {
    await use(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
