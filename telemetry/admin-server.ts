// Serves metrics, health, readiness and profiles over HTTP. Started by admin-port.ts.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { profileThreads, type ThreadProfile } from './profile.ts';

/** What one part of a role says of its readiness: `undefined` when it is ready, else the reason in a few words. */
export type ReadinessCheck = () => string | undefined;

export interface AdminServerOptions {
  host: string;
  /** 0 takes a free port. */
  port: number;
  /** The Prometheus text of the whole process, all threads included. */
  metrics(): Promise<{ contentType: string; text: string }>;
  readiness: Record<string, ReadinessCheck>;
  /** Troubles that leave the role ready: further lines of `/readyz`, which do not change its status. */
  remarks?: Record<string, ReadinessCheck>;
  /** Further GET pages by path, for example `/debug/runtime`. */
  pages?: Record<string, AdminPage>;
  /** Samples the threads of the role; those of this process by default. */
  profile?(seconds: number): Promise<ThreadProfile[]>;
}

/** @param accept what the client would like, the header `Accept` */
export type AdminPage = (accept: string) => Promise<{ contentType: string; text: string }>;

export interface AdminServer {
  port: number;
  close(): Promise<void>;
}

/**
 * `/metrics`, `/healthz` (the process lives), `/readyz` (503 with the reasons while a part is not ready) and `/debug/profile?seconds=N` (a
 * processor profile of every thread, as JSON) of a role.
 * @throws when the port is taken, naming the port and the variable that moves it.
 */
export async function startAdminServer(given: AdminServerOptions): Promise<AdminServer> {
  const options = { ...given, profile: oneAtATime(given.profile ?? profileThreads) };
  const server = createServer((request, response) => {
    answer(options, request).then(
      ({ status, contentType, text }) => response.writeHead(status, { 'content-type': contentType }).end(text),
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
/** The answer holds every sample, two a millisecond of each thread. */
const PROFILE_SECONDS_MAX = 60;

interface Answer {
  status: number;
  contentType: string;
  text: string;
}

type AnsweringOptions = Omit<AdminServerOptions, 'profile'> & { profile: ReturnType<typeof oneAtATime> };

async function answer(options: AnsweringOptions, { url = '/', headers }: IncomingMessage): Promise<Answer> {
  const [path = '/', query] = url.split('?', 2);
  switch (path) {
    case '/metrics':
      return { status: 200, ...(await options.metrics()) };
    case '/healthz':
      return plain(200, 'ok');
    case '/readyz': {
      const reasons = said(options.readiness);
      const remarks = said(options.remarks ?? {});
      if (reasons.length > 0) return plain(503, [...reasons, ...remarks].join('\n'));
      return plain(200, ['ready', ...remarks].join('\n'));
    }
    case '/debug/profile': {
      const seconds = Number(new URLSearchParams(query).get('seconds') ?? PROFILE_SECONDS);
      if (!(seconds > 0 && seconds <= PROFILE_SECONDS_MAX))
        return plain(400, `seconds: a number above 0, up to ${PROFILE_SECONDS_MAX}`);
      const threads = await options.profile(seconds);
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
  return async (seconds: number): Promise<ThreadProfile[] | undefined> => {
    if (busy) return undefined;
    busy = true;
    try {
      return await profile(seconds);
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
