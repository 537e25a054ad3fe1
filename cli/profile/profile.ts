import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Argument, Command } from 'commander';
import { loadConfig } from '../../contracts/config.ts';
import { UsageError } from '../../contracts/failure.ts';
import { localUrl } from '../../contracts/local-url.ts';
import { defaultAdminPort } from '../../contracts/roles.ts';
import type { ThreadProfile } from '../../telemetry/profile.ts';
import { httpUrl, wholeNumber } from '../options.ts';
import { print, printJson, say, table } from '../output.ts';
import { functionsOf } from './functions.ts';
import { asked, type Counted, counted, type ProfiledRole, profiledRoles } from './work.ts';

interface ProfileOptions {
  seconds: number;
  out?: string;
  admin?: URL;
  top: number;
  json?: boolean;
}

export function profileCommand(): Command {
  return new Command('profile')
    .description(
      'Samples every thread of a running role: processor time by thread and function, and the work done for it. Writes a .cpuprofile for each ' +
        'thread, which DevTools, VS Code and speedscope open.',
    )
    .addArgument(new Argument('<role>', 'a role that runs').choices(profiledRoles))
    .option('--seconds <n>', 'for how long', wholeNumber(1, 60), 10)
    .option('--admin <url>', 'its admin address; default: that of this configuration', httpUrl)
    .option('--out <directory>', 'where the .cpuprofile files go; default: profiles/ in the data directory')
    .option('--top <n>', 'functions that are shown', wholeNumber(1), 15)
    .option('--json', 'print one JSON object')
    .action(async (role: ProfiledRole, options: ProfileOptions) => {
      const config = loadConfig();
      const admin = options.admin ?? localUrl(config, config.ORDERMESH_ADMIN_PORT ?? defaultAdminPort(role));
      const before = await counted(role, admin);
      say(`sampling ${role} for ${options.seconds} s`);
      const threads = await take(role, admin, options.seconds);
      const after = await counted(role, admin);
      const directory = options.out ?? path.join(config.ORDERMESH_DATA_DIR, 'profiles');
      const files = await save(directory, role, threads);
      const shown = shownOf({ role, ...options, threads, files, before, after });
      if (options.json) printJson(shown);
      else show(shown);
    });
}

interface Shown {
  role: string;
  seconds: number;
  /** Cores that were busy, on average. */
  cores: number;
  work: { unit: string; perSecond: number; perCoreSecond: number };
  /** `user` and `system` are parts of a core. */
  threads: { thread: string; user: number; system: number; file: string }[];
  functions: ReturnType<typeof functionsOf>;
}

interface Taken {
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

function shownOf({ role, seconds, top, threads, files, before, after }: Taken): Shown {
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

function show({ cores, work, threads, functions }: Shown): void {
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

/** How long the role may take to answer after the sampling time is over. */
const PROFILE_SLACK_MS = 15_000;

async function take(role: ProfiledRole, admin: URL, seconds: number): Promise<ThreadProfile[]> {
  const url = new URL(`/debug/profile?seconds=${seconds}`, admin);
  const { status, text } = await asked(role, url, seconds * 1_000 + PROFILE_SLACK_MS);
  if (status !== 200) throw new UsageError(`${role} at ${admin.origin} took no profile: ${text.trim()}`);
  return (JSON.parse(text) as { threads: ThreadProfile[] }).threads;
}

/** @returns the files, in the order of the threads */
async function save(directory: string, role: ProfiledRole, threads: readonly ThreadProfile[]): Promise<string[]> {
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

function percent(share: number): number {
  return round(share * 100, 1);
}

function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}
