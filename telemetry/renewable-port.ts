// A port of uWebSockets.js whose certificate can be renewed. Opened by the gateway and the display.

import uWS, { type TemplatedApp } from 'uWebSockets.js';
import { type ListenOptions, listenOn } from './exclusive-port.ts';
import type { TlsFiles } from './files/tls.ts';

export interface RenewablePort {
  port: number;
  /** Serves other files of TLS to new connections; connections that are open keep theirs. @throws when they cannot be served */
  renew(files: TlsFiles): Promise<void>;
  /** Takes no more connections. */
  stop(): void;
  /** Closes every connection too. */
  close(): void;
}

/**
 * Listens, with TLS where there are files. uWebSockets.js reads certificates only when an app is made, so each renewal makes another app: it takes the new
 * connections, and the old one keeps those that are open.
 * @param addRoutes called for each app
 * @throws Error naming the port when it is taken
 */
export async function listenRenewable(
  addRoutes: (app: TemplatedApp) => void,
  files: TlsFiles | undefined,
  options: ListenOptions,
): Promise<RenewablePort> {
  const apps: TemplatedApp[] = [];
  const mount = (tls: TlsFiles | undefined) => {
    const app = createApp(tls);
    apps.push(app);
    addRoutes(app);
    return app;
  };
  const close = () => {
    for (const app of apps) app.close();
  };
  const { socket, port } = await listenFirst(mount, files, options).catch((error: Error) => {
    close();
    throw error;
  });
  let current = socket;
  let isStopped = false;
  return {
    port,
    async renew(tls) {
      if (isStopped) return;
      const { socket: next } = await listenOn(mount(tls), { ...options, port, shared: true });
      uWS.us_listen_socket_close(current);
      current = next;
      if (isStopped) uWS.us_listen_socket_close(next);
    },
    stop() {
      isStopped = true;
      uWS.us_listen_socket_close(current);
    },
    close() {
      isStopped = true;
      close();
    },
  };
}

/**
 * With TLS the port is shared with the app of the next certificate. A port that another process holds is found by listening alone first, because a shared port
 * would silently give each a part of the connections.
 */
async function listenFirst(
  mount: (files: TlsFiles | undefined) => TemplatedApp,
  files: TlsFiles | undefined,
  options: ListenOptions,
) {
  if (files === undefined || options.shared === true) return listenOn(mount(files), options);
  const alone = await listenOn(uWS.App(), options);
  uWS.us_listen_socket_close(alone.socket);
  return listenOn(mount(files), { ...options, port: alone.port, shared: true });
}

function createApp(tls: TlsFiles | undefined): TemplatedApp {
  if (tls === undefined) return uWS.App();
  const own = { cert_file_name: tls.certFile, key_file_name: tls.keyFile };
  // With authorities the server asks for a client certificate and does not require it: a wrong certificate ends the handshake, a client without one sends a token.
  return uWS.SSLApp(tls.clients === undefined ? own : { ...own, ca_file_name: tls.clients.caFile });
}
