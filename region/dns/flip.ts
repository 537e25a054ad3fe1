// Points the mesh's name to a region, or checks that it could. Called by failovers and by `ordermesh region status`.

import { execFile } from 'node:child_process';
import { access, constants, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { ConfigError } from '../../contracts/config/config.ts';
import type { DnsSettings } from '../regions.ts';
import { updateAddress } from './update.ts';

const COMMAND_MS_MAX = 30_000;

/** Checks the settings without changing the name. @throws ConfigError when `flipName` could not begin */
export async function assertFlips(dns: DnsSettings): Promise<void> {
  if ('command' in dns) await assertProgram(dns.command[0] ?? '');
  else await readSecret(dns.key.secretFile);
}

/** Points the mesh's name to that address, by RFC 2136 or by the operator's own program. @throws with what the other side says */
export async function flipName(
  dns: DnsSettings,
  { name, address, ttlSeconds }: { name: string; address: string; ttlSeconds: number },
  commandMsMax = COMMAND_MS_MAX,
): Promise<void> {
  if ('command' in dns) return runProgram(dns.command, [name, address, String(ttlSeconds)], commandMsMax);
  const { server, zone, key } = dns;
  const secret = await readSecret(key.secretFile);
  await updateAddress({ server, zone, name, address, ttlSeconds, key: { name: key.name, secret } });
}

/** A program that takes too long is killed at once (SIGKILL), since it may ignore SIGTERM. */
async function runProgram(
  [program = '', ...given]: readonly string[],
  added: readonly string[],
  msMax: number,
): Promise<void> {
  const options = { timeout: msMax, killSignal: 'SIGKILL' as const };
  try {
    await promisify(execFile)(program, [...given, ...added], options);
  } catch (error) {
    const { killed, code, stderr = '' } = error as Error & { killed?: boolean; code?: unknown; stderr?: string };
    const ending = killed ? `did not end within ${msMax / 1_000} s` : `failed (${code ?? (error as Error).message})`;
    const said = stderr.trim();
    throw new Error(`the DNS command ${program} ${ending}${said === '' ? '' : `: ${said}`}`, { cause: error });
  }
}

async function readSecret(file: string): Promise<Buffer> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new ConfigError(`the secret of the DNS key cannot be read: ${error.message}`);
  });
  const secret = Buffer.from(text.trim(), 'base64');
  if (secret.length === 0) throw new ConfigError(`the file ${file} holds no secret of the DNS key; it takes base64`);
  return secret;
}

async function assertProgram(program: string): Promise<void> {
  const directories = program.includes('/') ? [''] : (process.env.PATH ?? '').split(path.delimiter);
  const found = await Promise.allSettled(
    directories.map((directory) => access(path.join(directory, program), constants.X_OK)),
  );
  if (!found.some(({ status }) => status === 'fulfilled'))
    throw new ConfigError(`dns.command of the regions file: ${program} is no program that can be run here`);
}
