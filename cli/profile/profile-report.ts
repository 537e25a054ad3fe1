import type { ThreadProfile } from '../../telemetry/profile.ts';
import { print, table } from '../output.ts';
import { functionsOf } from './functions.ts';
import type { Counted } from './work.ts';

/** What `ordermesh profile --json` prints. */
export interface ProfileReport {
  role: string;
  seconds: number;
  /** Cores that were busy, on average. */
  cores: number;
  work: { unit: string; perSecond: number; perCoreSecond: number };
  /** `user` and `system` are parts of a core. */
  threads: { thread: string; user: number; system: number; file: string }[];
  functions: ReturnType<typeof functionsOf>;
}

/** What was sampled, and the work that was done meanwhile. */
export interface Taken {
  role: string;
  seconds: number;
  /** Functions that are shown. */
  top: number;
  threads: readonly ThreadProfile[];
  /** In the order of the threads. */
  files: readonly string[];
  before: Counted;
  after: Counted;
}

export function reportOf({ role, seconds, top, threads, files, before, after }: Taken): ProfileReport {
  const cores = threads.reduce((sum, { cpuMs }) => sum + cpuMs.user + cpuMs.system, 0) / (seconds * 1_000);
  const perSecond = ((after.count - before.count) / (after.atMs - before.atMs)) * 1_000;
  return {
    role,
    seconds,
    cores: round(cores, 2),
    work: {
      unit: after.unit,
      perSecond: round(perSecond),
      perCoreSecond: cores === 0 ? 0 : round(perSecond / cores),
    },
    threads: threads.map(({ thread, cpuMs }, index) => ({
      thread,
      user: round(cpuMs.user / seconds / 1_000, 3),
      system: round(cpuMs.system / seconds / 1_000, 3),
      file: files[index] ?? '',
    })),
    functions: functionsOf(threads).slice(0, top),
  };
}

export function printReport({ cores, work, threads, functions }: ProfileReport): void {
  print(
    table(
      ['thread', 'user %', 'system %', 'profile'],
      threads.map(({ thread, user, system, file }) => [thread, percent(user), percent(system), file]),
    ),
  );
  print('');
  const perSecond = `${work.perSecond.toLocaleString('en')} ${work.unit} a second`;
  print(`${perSecond} on ${cores} cores: ${work.perCoreSecond.toLocaleString('en')} ${work.unit} a second and core`);
  print('');
  print(
    table(
      ['self %', 'function', 'where'],
      functions.map(({ share, name, where }) => [percent(share), name, where]),
    ),
  );
}

function percent(share: number): number {
  return round(share * 100, 1);
}

function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}
