/**
 * Node.js loads this before the program of each process in the drill. It replaces `dns.lookup`: a name in the drill's zone is resolved by the drill's
 * DNS server and cached for its time to live; any other name is resolved as usual. `DRILL_DNS_SERVER` is `host:port`: the server has a port of its own,
 * because only root may listen on port 53.
 */
import dns from 'node:dns';

export const zone = 'ordermesh.test';

const ASK_MS_MAX = 1_000;
const server = process.env.DRILL_DNS_SERVER;
const kept = new Map<string, { address: string; until: number }>();
const original = dns.lookup;

async function address(name: string, server: string): Promise<string> {
  const known = kept.get(name);
  if (known !== undefined && known.until > Date.now()) return known.address;
  const resolver = new dns.promises.Resolver({ timeout: ASK_MS_MAX, tries: 3 });
  resolver.setServers([server]);
  const [found] = await resolver.resolve4(name, { ttl: true });
  if (found === undefined) throw new Error(`${name} has no address`);
  kept.set(name, { address: found.address, until: Date.now() + found.ttl * 1_000 });
  return found.address;
}

type Done = (error: Error | null, address?: string | { address: string; family: number }[], family?: number) => void;

function lookup(name: string, options: dns.LookupOptions | Done, callback?: Done): void {
  const done = typeof options === 'function' ? options : (callback as Done);
  const all = typeof options === 'object' && options.all === true;
  if (server === undefined || !name.endsWith(zone)) {
    (original as (name: string, options: unknown, done: unknown) => void)(name, options, callback);
    return;
  }
  address(name, server).then(
    (found) => (all ? done(null, [{ address: found, family: 4 }]) : done(null, found, 4)),
    (error: Error) => done(error),
  );
}

dns.lookup = lookup as typeof dns.lookup;
