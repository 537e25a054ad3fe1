// Takes the profiles of a running role and saves them, for `ordermesh profile`.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../contracts/failure.ts';
import type { ThreadProfile } from '../../telemetry/profile.ts';
import { asked, type ProfiledRole } from './work.ts';

/** How long the role may take to answer after the sampling time is over. */
const PROFILE_SLACK_MS = 15_000;

/** A profile of each thread of the role. @param headers with the token of its admin port, where it has one @throws UsageError when the role takes none */
export async function takeProfiles(
  role: ProfiledRole,
  admin: URL,
  seconds: number,
  headers: Record<string, string> = {},
): Promise<ThreadProfile[]> {
  const url = new URL(`/debug/profile?seconds=${seconds}`, admin);
  const { status, text } = await asked(role, url, seconds * 1_000 + PROFILE_SLACK_MS, headers);
  if (status !== 200) throw new UsageError(`${role} at ${admin.origin} took no profile: ${text.trim()}`);
  return (JSON.parse(text) as { threads: ThreadProfile[] }).threads;
}

/** Writes a `.cpuprofile` for each thread. @returns the files, in the order of the threads */
export async function saveProfiles(
  directory: string,
  role: ProfiledRole,
  threads: readonly ThreadProfile[],
): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const time = new Date().toISOString().replaceAll(':', '-').slice(0, 19);
  return Promise.all(
    threads.map(async ({ thread, profile }) => {
      const file = path.join(directory, `${role}-${time}-${thread.replaceAll(/\W+/g, '-')}.cpuprofile`);
      await writeFile(file, JSON.stringify(profile));
      return file;
    }),
  );
}
