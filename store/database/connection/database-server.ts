// Which PostgreSQL to connect to, and how. Made from the configuration; everything that connects takes it.

import type { Config } from '../../../contracts/config/config.ts';
import { tlsModes } from '../../../contracts/config/kinds.ts';
import { type Secret, secretText } from '../../../contracts/config/secret.ts';

/**
 * A PostgreSQL server: its URL, or its URL as a secret with the files of TLS (PEM). Plain data that crosses thread boundaries. Files are read
 * again for each new connection.
 */
export type DatabaseServer = string | SecretServer;

interface SecretServer {
  url: Secret;
  /** Authorities that may have signed the server's certificate. Without them the authorities of Node count. */
  caFile?: string;
  /** The client's certificate and key, for servers that ask for one. */
  certFile?: string;
  keyFile?: string;
}

/** As in libpq: what TLS must prove. `prefer` takes TLS where the server offers it and checks nothing. */
export type TlsMode = Exclude<(typeof tlsModes)[number], 'allow'>;

/** Where a connection goes, and as whom: what the URL says now. */
export interface ServerAddress {
  hosts: { host: string; port: number }[];
  /** Directory of the server's Unix socket, instead of hosts. */
  socketDirectory?: string;
  user: string;
  password: string;
  database: string;
  tls: { mode: TlsMode; caFile?: string; certFile?: string; keyFile?: string };
  /** Further members of the URL: settings of the driver or of the session. */
  parameters: Record<string, string>;
}

/** The variables that say how a database is reached. */
export type DatabaseConfig = Pick<Config, 'DATABASE_SSL_CA_FILE' | 'DATABASE_SSL_CERT_FILE' | 'DATABASE_SSL_KEY_FILE'>;

/** The database of the configuration; `undefined` without one. */
export function databaseOf(config: DatabaseConfig & Pick<Config, 'DATABASE_URL'>): DatabaseServer | undefined {
  return config.DATABASE_URL && serverAt(config.DATABASE_URL, config);
}

/** The database of the simulated payment provider: the mesh's own, unless the configuration names another one. */
export function ledgerOf(
  config: DatabaseConfig & Pick<Config, 'DATABASE_URL' | 'ORDERMESH_PAYMENT_LEDGER_URL'>,
): DatabaseServer | undefined {
  const url = config.ORDERMESH_PAYMENT_LEDGER_URL ?? config.DATABASE_URL;
  return url && serverAt(url, config);
}

/** The server of a URL, with the files of TLS of the configuration. */
export function serverAt(url: Secret, config: DatabaseConfig): DatabaseServer {
  const { DATABASE_SSL_CA_FILE: caFile, DATABASE_SSL_CERT_FILE: certFile, DATABASE_SSL_KEY_FILE: keyFile } = config;
  return {
    url,
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
}

const DEFAULT_PORT = 5_432;

/**
 * What the server's URL says now. `sslmode`, `sslrootcert`, `sslcert` and `sslkey` of the URL count as in libpq and win over the files of the
 * server.
 * @throws when the file of the URL cannot be read, or the text is no URL
 */
export function addressOf(server: DatabaseServer): ServerAddress {
  const { url: secret, ...files } = typeof server === 'string' ? { url: { text: server } } : server;
  const { url, hosts } = parsed(secretText(secret));
  const { sslmode, sslrootcert, sslcert, sslkey, host, ...parameters } = Object.fromEntries(url.searchParams);
  // As in libpq, `system` names the authorities of the machine.
  const caFile = sslrootcert === 'system' ? undefined : (sslrootcert ?? files.caFile);
  const [certFile, keyFile] = [sslcert ?? files.certFile, sslkey ?? files.keyFile];
  const socketDirectory = [host, decodeURIComponent(url.hostname)].find((name) => name?.startsWith('/'));
  const user = decodeURIComponent(url.username) || (process.env.PGUSER ?? 'postgres');
  return {
    hosts,
    ...(socketDirectory === undefined ? {} : { socketDirectory }),
    user,
    password: decodeURIComponent(url.password) || (process.env.PGPASSWORD ?? ''),
    database: decodeURIComponent(url.pathname.slice(1)) || user,
    tls: {
      mode: tlsMode(sslmode, caFile ?? (sslrootcert === 'system' ? sslrootcert : undefined)),
      ...(caFile === undefined ? {} : { caFile }),
      ...(certFile === undefined ? {} : { certFile }),
      ...(keyFile === undefined ? {} : { keyFile }),
    },
    parameters,
  };
}

/** An authority that is named is an authority that is checked: `require` with one means `verify-ca`, as in libpq. */
function tlsMode(given: string | undefined, authority: string | undefined): TlsMode {
  if (given === undefined) return authority === undefined ? 'disable' : 'verify-full';
  if (given === 'require' && authority !== undefined) return 'verify-ca';
  const mode = tlsModes.find((known) => known === given);
  if (mode === undefined)
    throw new TypeError(`sslmode of the database's URL is ${JSON.stringify(given)}; it takes ${tlsModes.join(', ')}`);
  return mode === 'allow' ? 'prefer' : mode;
}

/** A URL may name several hosts, separated by commas; the first that takes the connection is used. `URL` parses one host only. */
function parsed(text: string): { url: URL; hosts: { host: string; port: number }[] } {
  const [, before = '', names = '', after = ''] = /^([^/]*\/\/(?:[^@/]*@)?)([^/?#]*)(.*)$/s.exec(text.trim()) ?? [];
  const [first = '', ...others] = names.split(',');
  const url = new URL(before + (first || 'localhost') + after);
  const hosts = [first, ...others].map((name) => {
    const { hostname, port } = new URL(`postgres://${name || 'localhost'}`);
    return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || DEFAULT_PORT };
  });
  return { url, hosts };
}

/** host:port for messages, without user and password. */
export function spokenAddress(server: DatabaseServer): string {
  const { hosts, socketDirectory } = addressOf(server);
  return (
    socketDirectory ?? hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',')
  );
}
