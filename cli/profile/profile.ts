import path from 'node:path';
import { Argument, Command } from 'commander';
import { adminHeaders, adminUrl } from '../../contracts/config/admin.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { httpUrl, wholeNumber } from '../options.ts';
import { printJson, say } from '../output.ts';
import { printReport, reportOf } from './profile-report.ts';
import { saveProfiles, takeProfiles } from './sampling.ts';
import { counted, type ProfiledRole, profiledRoles } from './work.ts';

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
      const admin = options.admin ?? adminUrl(config, role);
      const headers = adminHeaders(config);
      const before = await counted(role, admin, headers);
      say(`sampling ${role} for ${options.seconds} s`);
      const threads = await takeProfiles(role, admin, options.seconds, headers);
      const after = await counted(role, admin, headers);
      const directory = options.out ?? path.join(config.ORDERMESH_DATA_DIR, 'profiles');
      const files = await saveProfiles(directory, role, threads);
      const report = reportOf({ role, ...options, threads, files, before, after });
      if (options.json) printJson(report);
      else printReport(report);
    });
}
