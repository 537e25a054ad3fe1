// What `ordermesh profile` prints of a role.

import type { Flame } from '../../telemetry/flame/flame.ts';
import { type FunctionTime, functionsOf, type StageShare, stagesOf } from '../../telemetry/flame/functions.ts';
import type { ThreadProfile } from '../../telemetry/profiling/profile.ts';
import { print, table } from '../output.ts';
import { percent, round } from './numbers.ts';
import type { SavedProfiles } from './sampling.ts';
import type { Counted } from './work.ts';

/** What `ordermesh profile --json` prints. */
export interface ProfileReport {
  role: string;
  seconds: number;
  /** What the shares are of: time in which a thread was busy, or memory that stayed. */
  unit: Flame['unit'];
  /** Cores that were busy, on average. */
  cores: number;
  work: { unit: string; perSecond: number; perCoreSecond: number };
  /** `user` and `system` are parts of a core. */
  threads: { thread: string; user: number; system: number; file: string }[];
  stages: StageShare[];
  functions: FunctionTime[];
  /** The flame graph as a page. */
  page: string;
  /** The flame graph for speedscope and for `--compare`. */
  speedscope: string;
}

/** What was sampled, and the work that was done meanwhile. */
export interface Taken {
  role: string;
  seconds: number;
  /** Functions that are shown. */
  top: number;
  threads: readonly ThreadProfile[];
  flame: Flame;
  saved: SavedProfiles;
  before: Counted;
  after: Counted;
}

export function reportOf({ role, seconds, top, threads, flame, saved, before, after }: Taken): ProfileReport {
  const cores = threads.reduce((sum, { cpuMs }) => sum + cpuMs.user + cpuMs.system, 0) / (seconds * 1_000);
  const perSecond = ((after.count - before.count) / (after.atMs - before.atMs)) * 1_000;
  return {
    role,
    seconds,
    unit: flame.unit,
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
      file: saved.threads[index] ?? '',
    })),
    stages: stagesOf(flame),
    functions: functionsOf(flame).slice(0, top),
    page: saved.page,
    speedscope: saved.speedscope,
  };
}

export function printReport({ cores, work, threads, stages, functions, unit, ...files }: ProfileReport): void {
  print(`flame graph: ${files.page}\nspeedscope:  ${files.speedscope}\n`);
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
  const names = threads.map(({ thread }) => thread);
  print(
    table(
      [unit === 'bytes' ? 'memory %' : 'busy %', ...names, 'stage'],
      stages.map(({ stage, share, threads: ofThread }) => [
        percent(share),
        ...names.map((thread) => percent(ofThread[thread] ?? 0)),
        stage,
      ]),
    ),
  );
  print('');
  print(
    table(
      ['self %', 'total %', 'function', 'where'],
      functions.map(({ share, total, name, where }) => [percent(share), percent(total), name, where]),
    ),
  );
}
