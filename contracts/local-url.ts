import type { Config } from './config/config.ts';

/** The address by which this machine reaches a service of this configuration: a service that listens everywhere is reached by loopback. */
export function localUrl({ ORDERMESH_HOST }: Config, port: number, scheme: 'http' | 'https' = 'http'): URL {
  return urlOf(reachableHost(ORDERMESH_HOST), port, scheme);
}

export function urlOf(host: string, port: number, scheme: 'http' | 'https' = 'http'): URL {
  return new URL(`${scheme}://${hostPort(host, port)}`);
}

/** Where this machine reaches what listens on `host`. */
export function reachableHost(host: string): string {
  return ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
}

/** `host:port` as URLs and bootstrap lists have it: an IPv6 address is in brackets. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The gateway's address, as this machine reaches it. */
export function gatewayOf(config: Config): URL {
  const scheme = config.TLS_CERT_FILE === undefined ? 'http' : 'https';
  return localUrl(config, config.ORDERMESH_GATEWAY_PORT, scheme);
}

/** The address of the gateway's gRPC port, as this machine reaches it. */
export function grpcGatewayOf(config: Config): URL {
  const scheme = config.TLS_CERT_FILE === undefined ? 'http' : 'https';
  return localUrl(config, config.ORDERMESH_GRPC_PORT, scheme);
}
