// Listens on a port that, by default, no other process shares. Called by the gateway and the display.

import uWS, { type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';

/** Without it several processes would share the port, and the second one would go unnoticed. */
const EXCLUSIVE_PORT = 1;
const SHARED_PORT = 0;

/** The form of `listen` with host and options, which the package has and its typings lack. */
type Listen = (host: string, port: number, options: number, done: (socket: us_listen_socket | false) => void) => void;

export interface ListenOptions {
  host: string;
  /** 0 takes a free port. */
  port: number;
  /** The variable that moves the port, for the error. */
  variable: string;
  /** Whether other processes may listen on the same port; the kernel spreads the connections over them. */
  shared?: boolean | undefined;
}

/**
 * Listens with uWebSockets.js. By default uWebSockets.js shares its port (SO_REUSEPORT): a second server on the same port would silently get
 * half of the connections.
 * @throws Error naming the port and its variable when it is taken
 */
export function listenOn(
  app: TemplatedApp,
  { host, port, variable, shared = false }: ListenOptions,
): Promise<{ socket: us_listen_socket; port: number }> {
  return new Promise((resolve, reject) => {
    (app.listen as unknown as Listen).call(app, host, port, shared ? SHARED_PORT : EXCLUSIVE_PORT, (socket) => {
      if (socket) resolve({ socket, port: uWS.us_socket_local_port(socket) });
      else reject(portTaken(host, port, variable));
    });
  });
}

export function portTaken(host: string, port: number, variable: string): Error {
  return new Error(
    `cannot listen on port ${port} of ${host}: stop what holds the port, or set ${variable} (or ORDERMESH_HOST, if that is not an address of this machine)`,
  );
}
