// Asks role processes for `/readyz` and `/debug/runtime`. Called by watch.ts.

import { adminHeaders } from '../../../contracts/config/admin.ts';
import { loadConfig } from '../../../contracts/config/config.ts';
import type { RuntimePageText } from './evidence.ts';

/** A role process and where its admin server is. */
export interface AdminAddress {
  name: string;
  /** Its role, which is the name of a worker's group. */
  role: string;
  url: string;
}

/** What a role process answers at `/readyz`, by its name: undefined is 200, else what it says instead. */
export type ReadyAnswers = ReadonlyMap<string, { group: string; reason: string | undefined }>;

const ANSWER_MS_MAX = 2_000;

/** What each of them answers at `/readyz`. One that does not answer is not ready. */
export async function readyAnswers(addresses: readonly AdminAddress[]): Promise<ReadyAnswers> {
  const answers = addresses.map(async ({ name, role, url }) => {
    const { status, text } = await ask(`${url}/readyz`);
    return [name, { group: role, reason: status === 200 ? undefined : text.trim() }] as const;
  });
  return new Map(await Promise.all(answers));
}

export function runtimePages(addresses: readonly AdminAddress[], role: string): Promise<RuntimePageText[]> {
  const ofRole = addresses.filter((address) => address.role === role);
  return Promise.all(ofRole.map(async ({ name, url }) => ({ name, text: (await ask(`${url}/debug/runtime`)).text })));
}

async function ask(url: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json', ...adminHeaders(loadConfig()) },
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const { message, cause } = error as Error;
    return { status: 0, text: cause === undefined ? message : `${message}: ${cause}` };
  }
}
