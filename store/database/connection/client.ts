// Makes clients of the `postgres` driver that ask for the server's address, user and password at each new connection. Used by every pool.

import { Socket } from 'node:net';
import postgres from 'postgres';
import { clocked } from '../../../telemetry/stages/clocked-socket.ts';
import { stage } from '../../../telemetry/stages/stage.ts';
import { addressOf, type DatabaseServer, type ServerAddress, spokenAddress } from './database-server.ts';
import { openSocket } from './open-socket.ts';

type DriverOptions = postgres.Options<Record<string, never>>;

export interface ClientOptions extends Omit<DriverOptions, 'socket' | 'host' | 'port' | 'user' | 'password' | 'ssl'> {
  /** Called for each notification; the driver's own type lacks it. */
  onnotify?(channel: string, payload: string): void;
  /** Time limit of an attempt to connect, in milliseconds; 30,000 by default. */
  connectMsMax?: number;
}

const CONNECT_MS_MAX = 30_000;

/**
 * A client whose every new connection goes where the server's URL points at that moment, as the user it names. So a password, a host or a
 * certificate that changed in its file counts without a restart. Connections that exist stay.
 * @throws when the URL's file cannot be read
 */
export function createClient(server: DatabaseServer, { connectMsMax, ...options }: ClientOptions): postgres.Sql {
  const { hosts, parameters, ...first } = addressOf(server);
  const limitMs = connectMsMax ?? CONNECT_MS_MAX;
  const spoken = spokenAddress(server);
  const ending = new AbortController();
  const settings = {
    ...options,
    // The driver counts in seconds here. It starts this clock when the socket is there.
    connect_timeout: limitMs / 1_000,
    host: hosts[0]?.host ?? '',
    port: hosts[0]?.port ?? 0,
    user: first.user,
    password: () => addressOf(server).password,
    database: first.database,
    connection: { ...options.connection, ...sessionParameters(parameters) },
    ...(parameters.prepare === 'false' ? { prepare: false } : {}),
    ssl: false,
    socket: () => socketFor(server, spoken, limitMs, ending.signal),
  };
  const client = postgres(settings as unknown as DriverOptions);
  followUser(client, server);
  const end = client.end.bind(client);
  client.end = (how) => {
    // A connection that is being made when the client is given up would stay open.
    if (how?.timeout === 0) ending.abort(new Error('the client was closed'));
    return end(how);
  };
  return client;
}

/** Members of the URL that are settings of the driver, and no settings of the session. */
const driverMembers = new Set(['prepare', 'target_session_attrs', 'sslnegotiation', 'channel_binding', 'gssencmode']);

function sessionParameters(parameters: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => !driverMembers.has(name)));
}

/** The driver fixes user and database when it is made, but reads the parameters of its start-up message for each connection. */
function followUser(client: postgres.Sql, server: DatabaseServer): void {
  let known: Pick<ServerAddress, 'user' | 'database'> = addressOf(server);
  const current = () => {
    try {
      known = addressOf(server);
    } catch {
      // The file is being replaced. The server decides about the user that was known last.
    }
    return known;
  };
  Object.defineProperties(client.options.connection, {
    user: { enumerable: true, get: () => current().user },
    database: { enumerable: true, get: () => current().database },
  });
}

/**
 * Never rejects: the driver forgets a connection whose socket cannot be made, and a pool of one would wait for ever. So a failure is told by
 * a socket that ends with it.
 */
async function socketFor(
  server: DatabaseServer,
  spoken: string,
  limitMs: number,
  ending: AbortSignal,
): Promise<Socket> {
  const late = AbortSignal.timeout(limitMs);
  try {
    return clocked(await openSocket(server, AbortSignal.any([late, ending])), stage.store);
  } catch (error) {
    const failed = new Socket();
    const reason = error === late.reason ? timedOut(spoken) : (error as Error);
    setImmediate(() => failed.destroy(reason));
    return failed;
  }
}

/** As the driver's own. */
function timedOut(address: string): Error {
  return Object.assign(new Error(`write CONNECT_TIMEOUT ${address}`), { code: 'CONNECT_TIMEOUT' });
}
