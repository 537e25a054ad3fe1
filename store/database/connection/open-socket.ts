// Opens the socket of a connection to PostgreSQL, with TLS as the URL asks for. The driver calls it for each new connection.

import { readFile } from 'node:fs/promises';
import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect as connectTls } from 'node:tls';
import { addressOf, type DatabaseServer, type ServerAddress } from './database-server.ts';

/** The server cannot be used as the URL asks: TLS is missing, or its files cannot be used. Not an outage of the server's own. */
export class DatabaseTlsError extends Error {
  override name = 'DatabaseTlsError';
  /** In the form of Node's codes for TLS, which count as outages. */
  readonly code = 'ERR_TLS_DATABASE';
}

/** PostgreSQL's SSLRequest: the server answers with one byte, S or N. */
const TLS_REQUEST = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);
const AGREES = 'S'.charCodeAt(0);

/**
 * A connected socket to the first host that takes the connection, ready for the start-up message. The URL and the files are read for each
 * call, so that what changed counts without a restart.
 * @throws the error of the network, of TLS or of the file
 */
export async function openSocket(server: DatabaseServer, signal: AbortSignal): Promise<Socket> {
  const address = addressOf(server);
  if (address.socketDirectory !== undefined) {
    const port = address.hosts[0]?.port ?? 0;
    return connected({ path: `${address.socketDirectory}/.s.PGSQL.${port}` }, signal);
  }
  let failure: unknown = new Error('the URL of the database names no host');
  for (const { host, port } of address.hosts) {
    try {
      return await secured(await connected({ host, port }, signal), host, address.tls, signal);
    } catch (error) {
      failure = error;
      if (signal.aborted) break;
    }
  }
  throw failure;
}

async function secured(socket: Socket, host: string, tls: ServerAddress['tls'], signal: AbortSignal): Promise<Socket> {
  if (tls.mode === 'disable') return socket;
  try {
    socket.write(TLS_REQUEST);
    const [answer] = await next<[Buffer]>(socket, 'data', signal);
    if (answer[0] !== AGREES) {
      if (tls.mode === 'prefer') return socket;
      throw new DatabaseTlsError(
        `the database at ${host} offers no TLS, and sslmode is ${tls.mode}; turn TLS on at the server (ssl = on), or set sslmode=disable`,
      );
    }
    const secure = connectTls({ socket, ...(await tlsOptions(host, tls)) });
    try {
      await next(secure, 'secureConnect', signal);
      return secure;
    } catch (error) {
      // Its end may bring a second error, which says no more than the first.
      secure.on('error', () => {}).destroy();
      throw error;
    }
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function tlsOptions(host: string, { mode, caFile, certFile, keyFile }: ServerAddress['tls']) {
  const [ca, cert, key] = await Promise.all([
    pem(caFile, 'DATABASE_SSL_CA_FILE'),
    pem(certFile, 'DATABASE_SSL_CERT_FILE'),
    pem(keyFile, 'DATABASE_SSL_KEY_FILE'),
  ]);
  const options: ConnectionOptions = {
    rejectUnauthorized: mode === 'verify-ca' || mode === 'verify-full',
    // Without a name Node would compare the certificate with `localhost`.
    checkServerIdentity: (_, certificate) =>
      mode === 'verify-full' ? checkServerIdentity(host, certificate) : undefined,
    ...(isIP(host) > 0 ? {} : { servername: host }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  return options;
}

async function pem(file: string | undefined, variable: string): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  return readFile(file).catch((error: Error) => {
    throw new DatabaseTlsError(`${variable} is ${JSON.stringify(file)}; it takes a PEM file (${error.message})`);
  });
}

async function connected(to: { host: string; port: number } | { path: string }, signal: AbortSignal): Promise<Socket> {
  const socket = connect(to);
  try {
    await next(socket, 'connect', signal);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Waits for one event; the socket keeps no listener. @throws the socket's error, or the reason of the abort */
async function next<T extends unknown[]>(socket: Socket, event: string, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const happened = (...values: unknown[]) => resolve(values as T);
  const closed = () =>
    reject(Object.assign(new Error('the database closed the connection'), { code: 'CONNECTION_CLOSED' }));
  const aborted = () => reject(signal.reason);
  socket.once(event, happened).once('error', reject).once('close', closed);
  signal.addEventListener('abort', aborted);
  if (signal.aborted) aborted();
  try {
    return await promise;
  } finally {
    socket.off(event, happened).off('error', reject).off('close', closed);
    signal.removeEventListener('abort', aborted);
  }
}
