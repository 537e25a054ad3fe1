// Splits, resolves and compares addresses for the DNS client. Used by update.ts and region/probe.ts.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { hostPort } from '../../contracts/local-url.ts';

/** Splits `host:port`; an IPv6 address is in brackets. */
export function splitHostPort(server: string): { host: string; port: number } {
  const at = server.lastIndexOf(':');
  return { host: server.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(server.slice(at + 1)) };
}

/** The server as `address:port`, because a resolver takes no names. @throws when the name has no address */
export async function withAddress(server: string): Promise<string> {
  const { host, port } = splitHostPort(server);
  const { address } = await lookup(host).catch((error: Error) => {
    throw new Error(`the DNS server ${server} has no address: ${error.message}`, { cause: error });
  });
  return hostPort(address, port);
}

/** The same text for the same address: an IPv6 address can be written in several ways. */
export function canonicalAddress(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
