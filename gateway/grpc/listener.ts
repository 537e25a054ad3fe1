// Opens the port of the gRPC server, with or without TLS. Called by server.ts.

import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
  Server as TlsServer,
} from 'node:tls';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { hostPort } from '../../contracts/local-url.ts';
import type { TlsFiles } from '../../telemetry/files/tls.ts';

export interface ListenOptions {
  host: string;
  /** 0 takes a free port. */
  port: number;
  /** Absent: without TLS. */
  tls: TlsFiles | undefined;
  /** Whether several processes share the port, and the kernel spreads the connections. */
  shared?: boolean;
}

export interface Listening {
  address: string;
  /** New connections get this certificate. Does nothing without TLS. */
  renew(tls: TlsFiles): void;
  /** Takes no more connections. */
  stop(): void;
}

/** A client that has not finished its TLS handshake by then is disconnected. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * Listens for a gRPC server. On a socket of its own, because grpc-js can't share a port.
 * @throws Error naming the port when it is taken.
 */
export async function listen(server: Server, options: ListenOptions): Promise<Listening> {
  const { host, port, tls, shared = false } = options;
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const take = (socket: Socket) => injector.injectConnection(socket);
  const listener = tls === undefined ? createServer({ noDelay: true }, take) : tlsListener(tls, take);
  await new Promise<void>((resolve, reject) => {
    listener.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new Error(
          `cannot listen on port ${port} of ${host} for gRPC (${error.code}): stop what holds the port, or set ORDERMESH_GRPC_PORT (or ORDERMESH_HOST, if that is not an address of this machine)`,
          { cause: error },
        ),
      ),
    );
    listener.listen({ host, port, exclusive: true, reusePort: shared }, resolve);
  });
  const bound = (listener.address() as AddressInfo).port;
  return {
    address: `${tls === undefined ? 'grpc' : 'grpcs'}://${hostPort(host, bound)}`,
    renew: (files) => listener instanceof TlsServer && listener.setSecureContext(contextOf(files)),
    stop() {
      if (listener.listening) listener.close();
    },
  };
}

/**
 * Terminates TLS here, because grpc-js can only require a client certificate or not ask for one. Here, as over HTTP, a wrong certificate ends the
 * connection, and a client without a certificate sends a token.
 */
function tlsListener(files: TlsFiles, take: (socket: Socket) => void): NetServer {
  const { clients } = files;
  return createTlsServer(
    {
      ...contextOf(files),
      ...(clients === undefined ? {} : { requestCert: true, rejectUnauthorized: false }),
      ALPNProtocols: ['h2'],
      noDelay: true,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    },
    (socket) => {
      // Without a listener the reset of a client would end the process.
      socket.on('error', () => {});
      if (clients === undefined || socket.authorized || !hasCertificate(socket)) take(socket);
      else socket.destroy();
    },
  );
}

function contextOf({ cert, key, clients }: TlsFiles): SecureContextOptions {
  return clients === undefined ? { cert, key } : { cert, key, ca: clients.ca };
}

function hasCertificate(socket: TLSSocket): boolean {
  return socket.getPeerX509Certificate() !== undefined;
}
