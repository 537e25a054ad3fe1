import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What one part of a role says of its readiness: `undefined` when it is ready, else the reason in a few words. */
export type ReadinessCheck = () => string | undefined;

export interface AdminServerOptions {
  host: string;
  /** 0 takes a free port. */
  port: number;
  /** The Prometheus text of the whole process, all threads included. */
  metrics(): Promise<{ contentType: string; text: string }>;
  readiness: Record<string, ReadinessCheck>;
  /** Further GET pages by path, for example `/debug/runtime`. */
  pages?: Record<string, AdminPage>;
}

/** @param accept what the client would like, the header `Accept` */
export type AdminPage = (accept: string) => Promise<{ contentType: string; text: string }>;

export interface AdminServer {
  port: number;
  close(): Promise<void>;
}

/**
 * `/metrics`, `/healthz` (the process lives) and `/readyz` (503 with the reasons while a part is not ready) of a role.
 * @throws when the port is taken, naming the port and the variable that moves it.
 */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const server = createServer((request, response) => {
    answer(options, request).then(
      ({ status, contentType, text }) => response.writeHead(status, { 'content-type': contentType }).end(text),
      (error: Error) => response.writeHead(500, { 'content-type': 'text/plain' }).end(`${error.message}\n`),
    );
  });
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

interface Answer {
  status: number;
  contentType: string;
  text: string;
}

async function answer(options: AdminServerOptions, { url = '/', headers }: IncomingMessage): Promise<Answer> {
  const path = url.split('?', 1)[0] ?? '/';
  switch (path) {
    case '/metrics':
      return { status: 200, ...(await options.metrics()) };
    case '/healthz':
      return { status: 200, contentType: 'text/plain', text: 'ok\n' };
    case '/readyz': {
      const reasons = Object.entries(options.readiness).flatMap(([part, check]) => {
        const reason = check();
        return reason === undefined ? [] : [`${part}: ${reason}`];
      });
      return reasons.length === 0
        ? { status: 200, contentType: 'text/plain', text: 'ready\n' }
        : { status: 503, contentType: 'text/plain', text: `${reasons.join('\n')}\n` };
    }
    default: {
      const page = options.pages?.[path];
      if (page !== undefined) return { status: 200, ...(await page(headers.accept ?? '')) };
      return { status: 404, contentType: 'text/plain', text: 'not found\n' };
    }
  }
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
