// Finds free ports, and tells whether a port is free. Used by the stack, the lab and a benchmark.

import { createServer } from 'node:net';

/** Below the range from which systems take the local ports of outgoing connections, so that a kept port is rarely taken later. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const ATTEMPTS_MAX = 100;

/** Whether something can listen on the port now. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * For roles, before they listen.
 * @throws when the port is taken, naming what wanted it and the variable that moves it.
 */
export async function assertPortFree(options: { port: number; host: string; what: string; variable: string }) {
  const { port, host, what, variable } = options;
  if (port !== 0 && !(await isPortFree(port, host)))
    throw new Error(
      `port ${port} on ${host}, for ${what}, is in use; stop what holds it or set ${variable} to a free port`,
    );
}

/** Ports by what they are for. A kept port is given again while it is free, so that addresses survive a restart. */
export async function choosePorts(
  names: readonly string[],
  kept: Readonly<Record<string, number>>,
): Promise<Record<string, number>> {
  const ports: Record<string, number> = {};
  for (const name of names) {
    const previous = kept[name];
    const taken = Object.values(ports);
    const usable = previous !== undefined && !taken.includes(previous) && (await isPortFree(previous));
    ports[name] = usable ? previous : await freePort([...taken, ...Object.values(kept)]);
  }
  return ports;
}

async function freePort(taken: number[]): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (!taken.includes(port) && (await isPortFree(port))) return port;
  }
  throw new Error(`no free port found from ${FIRST_PORT} to ${LAST_PORT} in ${ATTEMPTS_MAX} attempts`);
}
