// TLS and separate roles for the stack's own PostgreSQL. Called by server.ts for ORDERMESH_STACK_DATABASE=tls-roles.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Database, roleStatements } from '../../store/index.ts';
import { certificate } from '../certificates.ts';
import { giveTo, type ServerIdentity } from './identity.ts';
import { databaseLogins, loginName } from './logins.ts';

/** The stack lives shorter; the next start makes new certificates. */
const DAYS = 365;

export interface ServerTls {
  /** PEM file of the authority that signed the server's certificate. */
  caFile: string;
  /** PostgreSQL's settings. */
  settings: Record<string, string>;
}

/** Makes certificates for a server, and settings with which it takes connections with TLS alone. */
export async function serverTls(directory: string, owner: ServerIdentity['owner']): Promise<ServerTls> {
  const own = path.join(directory, 'tls');
  await mkdir(own, { recursive: true });
  const authority = certificate('ordermesh-stack', { days: DAYS });
  const server = certificate('postgres', { by: authority, for: 'server', days: DAYS });
  const file = async (name: string, text: string, mode: number) => {
    const target = path.join(own, name);
    await writeFile(target, text, { mode });
    return target;
  };
  const [caFile, certFile, keyFile, accessFile] = await Promise.all([
    file('ca.pem', authority.cert, 0o644),
    file('server.pem', server.cert, 0o644),
    file('server.key', server.key, 0o600),
    file('pg_hba.conf', accessRules, 0o644),
  ]);
  await giveTo(owner, own);
  return {
    caFile,
    settings: { ssl: 'on', ssl_cert_file: certFile, ssl_key_file: keyFile, hba_file: accessFile },
  };
}

const accessRules = ['hostssl all all all scram-sha-256', 'hostssl replication all all scram-sha-256', ''].join('\n');

/** What a connection proves: the server's certificate is of the stack's authority, and for its address. */
export function verified(url: string, caFile: string): string {
  const checked = new URL(url);
  checked.searchParams.set('sslmode', 'verify-full');
  checked.searchParams.set('sslrootcert', caFile);
  return checked.href;
}

/** Makes the group roles and the logins, in the database of the mesh. */
export async function createLogins(sql: Database, password: string): Promise<void> {
  await sql.unsafe(roleStatements()).simple();
  // For `ordermesh region`.
  await sql`grant pg_monitor to ordermesh_operator`;
  await sql`grant execute on function pg_promote(boolean, integer) to ordermesh_operator`;
  for (const login of databaseLogins) {
    const name = loginName(login);
    const known = await sql`select from pg_roles where rolname = ${name}`;
    if (known.length === 0) await sql.unsafe(`create role ${name} login password '${password}'`);
    await sql.unsafe(`grant ordermesh_${login} to ${name}`);
  }
}
