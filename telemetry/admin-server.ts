// Serves metrics, health, readiness and profiles over HTTP. Started by admin-port.ts.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { opensAdmin } from '../contracts/config/admin.ts';
import type { Secret } from '../contracts/config/secret.ts';
import { type ProfileKind, profileKinds, profileThreads, type ThreadProfile } from './profiling/profile.ts';

/** What one part of a role says of its readiness: `undefined` when it is ready, else the reason in a few words. */
export type ReadinessCheck = () => string | undefined;

export interface AdminServerOptions {
  host: string;
  /** 0 takes a free port. */
  port: number;
  /** What a reader must send for more than health; absent where the port is open. */
  token?: Secret | undefined;
  /** The Prometheus text of the whole process, all threads included. */
  metrics(): Promise<{ contentType: string; text: string }>;
  readiness: Record<string, ReadinessCheck>;
  /** Troubles that leave the role ready: further lines of `/readyz`, which do not change its status. */
  remarks?: Record<string, ReadinessCheck>;
  /** Further GET pages by path, for example `/debug/runtime`. */
  pages?: Record<string, AdminPage>;
  /** Samples the threads of the role; those of this process by default. */
  profile?(seconds: number, kind: ProfileKind): Promise<ThreadProfile[]>;
}

/** @param accept what the client would like, the header `Accept` */
export type AdminPage = (accept: string) => Promise<{ contentType: string; text: string }>;

export interface AdminServer {
  port: number;
  close(): Promise<void>;
}

/**
 * `/metrics`, `/healthz` (the process lives), `/readyz` (503 with the reasons while a part is not ready) and
 * `/debug/profile?seconds=N&kind=cpu|heap` (a profile of every thread, as JSON) of a role.
 * With a token, a reader without the token gets `/healthz` and the status of `/readyz` only.
 * @throws when the port is taken, naming the port and the variable that moves it.
 */
export async function startAdminServer(given: AdminServerOptions): Promise<AdminServer> {
  const options = { ...given, profile: oneAtATime(given.profile ?? profileThreads) };
  const server = createServer((request, response) => {
    answer(options, request).then(
      ({ status, contentType, text, headers }) =>
        response.writeHead(status, { 'content-type': contentType, ...headers }).end(text),
      (error: Error) => response.writeHead(500, { 'content-type': 'text/plain' }).end(`${error.message}\n`),
    );
  });
  await listen(server, given);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const PROFILE_SECONDS = 10;
/** The answer holds every sample, 200 a second of each thread. */
const PROFILE_SECONDS_MAX = 60;

interface Answer {
  status: number;
  contentType: string;
  text: string;
  headers?: Record<string, string>;
}

type AnsweringOptions = Omit<AdminServerOptions, 'profile'> & { profile: ReturnType<typeof oneAtATime> };

async function answer(options: AnsweringOptions, { url = '/', headers }: IncomingMessage): Promise<Answer> {
  const [path = '/', query] = url.split('?', 2);
  if (path === '/healthz') return plain(200, 'ok');
  const refusal = refusalOf(options.token, headers.authorization ?? '');
  if (path !== '/readyz' && refusal !== undefined) return refusal;
  switch (path) {
    case '/metrics':
      return { status: 200, ...(await options.metrics()) };
    case '/readyz': {
      const reasons = said(options.readiness);
      const remarks = said(options.remarks ?? {});
      // Reasons name servers and files, which a stranger need not know.
      if (refusal !== undefined)
        return reasons.length > 0 ? plain(503, 'not ready; the reasons need the token') : plain(200, 'ready');
      if (reasons.length > 0) return plain(503, [...reasons, ...remarks].join('\n'));
      return plain(200, ['ready', ...remarks].join('\n'));
    }
    case '/debug/profile': {
      const asked = new URLSearchParams(query);
      const seconds = Number(asked.get('seconds') ?? PROFILE_SECONDS);
      if (!(seconds > 0 && seconds <= PROFILE_SECONDS_MAX))
        return plain(400, `seconds: a number above 0, up to ${PROFILE_SECONDS_MAX}`);
      const kind = profileKinds.find((known) => known === (asked.get('kind') ?? 'cpu'));
      if (kind === undefined) return plain(400, `kind: one of ${profileKinds.join(', ')}`);
      const threads = await options.profile(seconds, kind);
      if (threads === undefined) return plain(409, 'a profile is being taken already');
      return { status: 200, contentType: 'application/json', text: JSON.stringify({ threads }) };
    }
    default: {
      const page = options.pages?.[path];
      if (page !== undefined) return { status: 200, ...(await page(headers.accept ?? '')) };
      return plain(404, 'not found');
    }
  }
}

const locked: Answer = {
  ...plain(401, 'this page needs the token of ORDERMESH_ADMIN_TOKEN: Authorization: Bearer <token>'),
  headers: { 'www-authenticate': 'Bearer realm="ordermesh admin", Basic realm="ordermesh admin"' },
};

/** Why a reader gets no more than health; `undefined` for a reader with the token. Health must not depend on the file of the token. */
function refusalOf(token: Secret | undefined, authorization: string): Answer | undefined {
  if (token === undefined) return undefined;
  try {
    return opensAdmin(token, authorization) ? undefined : locked;
  } catch (error) {
    return plain(503, `the token of ORDERMESH_ADMIN_TOKEN_FILE cannot be read: ${(error as Error).message}`);
  }
}

function said(checks: Record<string, ReadinessCheck>): string[] {
  return Object.entries(checks).flatMap(([part, check]) => {
    const reason = check();
    return reason === undefined ? [] : [`${part}: ${reason}`];
  });
}

function plain(status: number, line: string): Answer {
  return { status, contentType: 'text/plain', text: `${line}\n` };
}

/** @returns `undefined` while another profile is being taken */
function oneAtATime(profile: NonNullable<AdminServerOptions['profile']>) {
  let busy = false;
  return async (seconds: number, kind: ProfileKind): Promise<ThreadProfile[] | undefined> => {
    if (busy) return undefined;
    busy = true;
    try {
      return await profile(seconds, kind);
    } finally {
      busy = false;
    }
  };
}

function listen(server: Server, { host, port }: AdminServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error);
      reject(new Error(`admin port ${port} on ${host} is in use; stop what holds it or set ORDERMESH_ADMIN_PORT`));
    });
    server.listen(port, host, () => resolve());
  });
}
