// Takes the profiles of a running role and saves them, for `ordermesh profile`.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../contracts/failure.ts';
import type { Flame } from '../../telemetry/flame/flame.ts';
import { flamePage } from '../../telemetry/flame/flame-page.ts';
import { isHeapProfile } from '../../telemetry/flame/fold.ts';
import { toSpeedscope } from '../../telemetry/flame/speedscope.ts';
import type { ProfileKind, ThreadProfile } from '../../telemetry/profiling/profile.ts';
import { asked, type ProfiledRole } from './work.ts';

/** How long the role may take to answer after the sampling time is over. */
const PROFILE_SLACK_MS = 15_000;

/** A profile of each thread of the role. @param headers with the token of its admin port, where it has one @throws UsageError when the role takes none */
export async function takeProfiles(
  role: ProfiledRole,
  admin: URL,
  seconds: number,
  headers: Record<string, string> = {},
  kind: ProfileKind = 'cpu',
): Promise<ThreadProfile[]> {
  const url = new URL(`/debug/profile?seconds=${seconds}&kind=${kind}`, admin);
  const { status, text } = await asked(role, url, seconds * 1_000 + PROFILE_SLACK_MS, headers);
  if (status !== 200) throw new UsageError(`${role} at ${admin.origin} took no profile: ${text.trim()}`);
  const { threads } = JSON.parse(text) as { threads: ThreadProfile[] };
  if (threads.length === 0)
    throw new UsageError(`${role} at ${admin.origin} took no profile: its processes ended or hang; try again`);
  if (kind === 'heap' && threads.some(({ profile }) => !isHeapProfile(profile)))
    throw new UsageError(`${role} at ${admin.origin} is of an older version, which takes no heap profiles`);
  return threads;
}

export interface SavedProfiles {
  /** One for each thread, in the order of the threads. */
  threads: string[];
  /** The flame graph of all threads. */
  page: string;
  /** The same for speedscope, and for `--compare`. */
  speedscope: string;
}

/** Writes the flame graph, and a `.cpuprofile` or `.heapprofile` for each thread. */
export async function saveProfiles(
  directory: string,
  role: ProfiledRole,
  kind: ProfileKind,
  threads: readonly ThreadProfile[],
  flame: Flame,
): Promise<SavedProfiles> {
  await mkdir(directory, { recursive: true });
  const base = path.join(directory, `${role}-${timeForFiles()}`);
  const name = `${path.basename(base)}${kind === 'heap' ? ', memory' : ''}`;
  const saved = {
    threads: threads.map(({ thread }) => `${base}-${thread.replaceAll(/\W+/g, '-')}.${kind}profile`),
    page: `${base}.${kind}.html`,
    speedscope: `${base}.${kind}.speedscope.json`,
  };
  await Promise.all([
    ...threads.map(({ profile }, index) => writeFile(saved.threads[index] ?? '', JSON.stringify(profile))),
    writeFile(saved.page, await flamePage(name, flame)),
    writeFile(saved.speedscope, toSpeedscope(flame, name)),
  ]);
  return saved;
}

/** Now, for the name of a file. */
export function timeForFiles(): string {
  return new Date().toISOString().replaceAll(':', '-').slice(0, 19);
}
