import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Host and port of `host:port`; an IPv6 address stands in brackets. */
export function splitHostPort(server: string): { host: string; port: number } {
  const at = server.lastIndexOf(':');
  return { host: server.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(server.slice(at + 1)) };
}

/** The same server as `address:port`, which is all that a resolver takes. @throws when its name leads nowhere */
export async function withAddress(server: string): Promise<string> {
  const { host, port } = splitHostPort(server);
  const { address, family } = await lookup(host).catch((error: Error) => {
    throw new Error(`the DNS server ${server} has no address: ${error.message}`, { cause: error });
  });
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** One spelling for each address: IPv6 has several. */
export function canonicalAddress(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
