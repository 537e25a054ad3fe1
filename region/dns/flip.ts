import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { DnsSettings } from '../regions.ts';
import { updateAddress } from './update.ts';

const COMMAND_MS_MAX = 30_000;

/** Points the mesh's name to that address, by RFC 2136 or by the operator's own program. @throws with what the other side says */
export async function flipName(
  dns: DnsSettings,
  { name, address, ttlSeconds }: { name: string; address: string; ttlSeconds: number },
): Promise<void> {
  if ('command' in dns) {
    const [program = '', ...args] = dns.command;
    await promisify(execFile)(program, [...args, name, address, String(ttlSeconds)], { timeout: COMMAND_MS_MAX });
    return;
  }
  const { server, zone, key } = dns;
  const secret = Buffer.from((await readFile(key.secretFile, 'utf8')).trim(), 'base64');
  await updateAddress({ server, zone, name, address, ttlSeconds, key: { name: key.name, secret } });
}
