import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { ConfigError } from '../../contracts/config.ts';

export interface ListenOptions {
  host: string;
  /** 0 takes a free port. */
  port: number;
  /** PEM files; both or none. */
  certFile: string | undefined;
  keyFile: string | undefined;
  /** Whether several processes share the port, and the kernel spreads the connections. */
  shared?: boolean;
}

export interface Listening {
  address: string;
  /** Takes no more connections. */
  stop(): void;
}

/**
 * Listens for a gRPC server. On a socket of its own, because grpc-js can't share a port.
 * @throws Error naming the port when it is taken.
 */
export async function listen(server: Server, options: ListenOptions): Promise<Listening> {
  const { host, port, shared = false } = options;
  const credentials = credentialsOf(options);
  const injector = server.createConnectionInjector(credentials);
  const listener = createServer({ noDelay: true }, (socket) => injector.injectConnection(socket));
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
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    address: `${options.certFile === undefined ? 'grpc' : 'grpcs'}://${name}:${bound}`,
    stop() {
      if (listener.listening) listener.close();
    },
  };
}

function credentialsOf({ certFile, keyFile }: ListenOptions): ServerCredentials {
  if (certFile === undefined && keyFile === undefined) return ServerCredentials.createInsecure();
  if (certFile === undefined || keyFile === undefined)
    throw new ConfigError('TLS_CERT_FILE and TLS_KEY_FILE belong together; set both for TLS, or none');
  return ServerCredentials.createSsl(null, [
    { cert_chain: readFileSync(certFile), private_key: readFileSync(keyFile) },
  ]);
}
