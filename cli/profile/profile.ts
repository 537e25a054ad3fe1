import path from 'node:path';
import { Argument, Command } from 'commander';
import { adminHeaders, adminUrl } from '../../contracts/config/admin.ts';
import { type Config, loadConfig } from '../../contracts/config/config.ts';
import { UsageError } from '../../contracts/failure.ts';
import { foldThreads } from '../../telemetry/flame/fold.ts';
import { httpUrl, wholeNumber } from '../options.ts';
import { printJson, say } from '../output.ts';
import { compareFiles, printComparison } from './comparing.ts';
import { printReport, reportOf } from './profile-report.ts';
import { saveProfiles, takeProfiles } from './sampling.ts';
import { counted, type ProfiledRole, profiledRoles } from './work.ts';

interface ProfileOptions {
  seconds: number;
  heap?: boolean;
  compare?: string[];
  out?: string;
  admin?: URL;
  top: number;
  json?: boolean;
}

export function profileCommand(): Command {
  return new Command('profile')
    .description(
      'Samples every thread of a running role: processor time by thread, stage and function, and the work done for it. Writes a flame graph ' +
        'as a page and for speedscope, and a .cpuprofile for each thread, which DevTools and VS Code open. With --compare it shows how ' +
        'two profiles differ.',
    )
    .addArgument(new Argument('[role]', 'a role that runs').choices(profiledRoles))
    .option('--seconds <n>', 'for how long', wholeNumber(1, 60), 10)
    .option('--heap', 'sample what is allocated and stays in memory; writes a .heapprofile for each thread')
    .option('--compare <files...>', 'two .speedscope.json, .cpuprofile or .heapprofile: before and after')
    .option('--admin <url>', 'its admin address; default: that of this configuration', httpUrl)
    .option('--out <directory>', 'where the files go; default: profiles/ in the data directory')
    .option('--top <n>', 'functions that are shown', wholeNumber(1), 15)
    .option('--json', 'print one JSON object')
    .action(async (role: ProfiledRole | undefined, options: ProfileOptions) => {
      const config = loadConfig();
      const directory = options.out ?? path.join(config.ORDERMESH_DATA_DIR, 'profiles');
      if (options.compare === undefined) await profile(role, options, config, directory);
      else await compare(role, options, options.compare, directory);
    });
}

async function profile(
  role: ProfiledRole | undefined,
  options: ProfileOptions,
  config: Config,
  directory: string,
): Promise<void> {
  if (role === undefined)
    throw new UsageError(
      `name a role that runs (${profiledRoles.join(', ')}), or two files to compare: --compare BEFORE AFTER`,
    );
  const admin = options.admin ?? adminUrl(config, role);
  const headers = adminHeaders(config);
  const kind = options.heap ? 'heap' : 'cpu';
  const before = await counted(role, admin, headers);
  say(`sampling ${role} for ${options.seconds} s`);
  const threads = await takeProfiles(role, admin, options.seconds, headers, kind);
  const after = await counted(role, admin, headers);
  const flame = foldThreads(threads);
  const saved = await saveProfiles(directory, role, kind, threads, flame);
  const report = reportOf({ role, ...options, threads, flame, saved, before, after });
  if (options.json) printJson(report);
  else printReport(report);
}

async function compare(
  role: ProfiledRole | undefined,
  { top, json }: ProfileOptions,
  files: readonly string[],
  directory: string,
): Promise<void> {
  const [before, after] = files;
  if (before === undefined || after === undefined || files.length > 2 || role !== undefined)
    throw new UsageError('--compare takes two files, before and after, and no role');
  const comparison = await compareFiles(before, after, directory);
  if (json) printJson({ ...comparison, functions: comparison.functions.slice(0, top) });
  else printComparison(comparison, top);
}
