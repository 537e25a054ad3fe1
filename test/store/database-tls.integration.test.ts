import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { certificate } from '../../stack/certificates.ts';
import { choosePorts } from '../../stack/ports.ts';
import { urlAs } from '../../stack/postgres/logins.ts';
import { startPostgres } from '../../stack/postgres/server.ts';
import { Servers } from '../../stack/servers.ts';
import { connectDatabase } from '../../store/database/database.ts';
import type { DatabaseServer } from '../../store/index.ts';
import { readyDatabase } from '../../store/schema/ready-database.ts';
import { temporaryDirectory } from '../stack/support.ts';

/* A server that takes connections with TLS alone. */
const authority = certificate('clients');
const stranger = certificate('another authority');
let stack: AsyncDisposableStack;
let directory: string;
let url: URL;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  directory = stack.use(await temporaryDirectory()).path;
  await chmod(directory, 0o755);
  const servers = new Servers(directory, () => {});
  stack.defer(() => servers.stopAll('SIGKILL'));
  const { port = 0 } = await choosePorts(['port'], {});
  const { environment } = await startPostgres({ name: 'postgres', directory, port, servers, secured: true });
  url = new URL(environment.DATABASE_URL ?? '');
}, 120_000);
afterAll(() => stack?.disposeAsync());

/** The URL with other parameters; an empty one is left out. */
function urlWith(parameters: Record<string, string>): string {
  const changed = new URL(url);
  for (const [name, value] of Object.entries(parameters))
    if (value === '') changed.searchParams.delete(name);
    else changed.searchParams.set(name, value);
  return changed.href;
}

async function file(name: string, text: string): Promise<string> {
  const at = path.join(directory, name);
  await writeFile(at, text);
  return at;
}

async function isEncrypted(server: DatabaseServer): Promise<unknown> {
  const sql = connectDatabase({ server, connections: 1, application: 'test' });
  try {
    const [row] = await sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
    return row?.ssl;
  } finally {
    await sql.end();
  }
}

function refusalOf(server: DatabaseServer): Promise<string> {
  return readyDatabase(server, 'test', { migrates: false, onWait: () => {} }).then(
    () => 'ready',
    (error: Error) => error.message,
  );
}

test('the server proves who it is, by the authority that is given', async () => {
  expect(await isEncrypted(url.href)).toBe(true);
  expect(
    await isEncrypted({
      url: { text: urlWith({ sslrootcert: '' }) },
      caFile: url.searchParams.get('sslrootcert') ?? '',
    }),
  ).toBe(true);
  // Encrypted, and checked by nothing.
  expect(await isEncrypted(urlWith({ sslrootcert: '', sslmode: 'require' }))).toBe(true);
});

test('an unknown authority, another one, and a connection without TLS are refused, each with what would help', async () => {
  const unknown = /the certificate of PostgreSQL at .* is not accepted .*DATABASE_SSL_CA_FILE takes its authority/;
  expect(await refusalOf(urlWith({ sslrootcert: '' }))).toMatch(unknown);
  expect(await refusalOf(urlWith({ sslrootcert: await file('stranger.pem', stranger.cert) }))).toMatch(unknown);
  const open = urlWith({ sslrootcert: '', sslmode: 'disable' });
  expect(await refusalOf(open)).toMatch(/does not let mesh_operator in .*it takes TLS: sslmode=verify-full/);
});

test('a server that asks for a client certificate gets it, and a missing or strange one is refused', async () => {
  const administrator = connectDatabase({
    server: urlAs(url.href, 'administrator'),
    connections: 1,
    application: 'test',
  });
  const rules = 'hostssl all postgres all scram-sha-256\nhostssl all all all scram-sha-256 clientcert=verify-ca\n';
  await writeFile(path.join(directory, 'tls', 'pg_hba.conf'), rules);
  await administrator.unsafe(`alter system set ssl_ca_file = '${await file('clients.pem', authority.cert)}'`);
  await administrator`select pg_reload_conf()`;
  await administrator.end();
  const withCertificate = async (by: typeof authority, name: string): Promise<DatabaseServer> => {
    const client = certificate(name, { by, for: 'client' });
    return {
      url: { text: url.href },
      certFile: await file(`${name}.pem`, client.cert),
      keyFile: await file(`${name}.key`, client.key),
    };
  };
  await expect
    .poll(() => refusalOf(url.href), { timeout: 20_000 })
    .toMatch(/valid client certificate\): DATABASE_SSL_CERT_FILE and DATABASE_SSL_KEY_FILE take/);
  const strange = await withCertificate(stranger, 'strange');
  // The server closes behind its alert, and a reset that overtakes it hides it: roles try again.
  await expect
    .poll(() => refusalOf(strange), { timeout: 20_000 })
    .toMatch(/ends the handshake of TLS \(alert unknown ca\): DATABASE_SSL_CERT_FILE/);
  expect(await isEncrypted(await withCertificate(authority, 'known'))).toBe(true);
}, 60_000);
