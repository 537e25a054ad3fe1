// The command `ordermesh database catch-up`: what follows the restore of a backup.

import { Command } from 'commander';
import { clusterOf } from '../contracts/config/kafka-cluster.ts';
import { catchUp } from '../region/operations/index.ts';
import { connectedConfig } from '../stack/environment.ts';
import { withDatabase } from '../store/index.ts';
import { pastTime } from './options.ts';
import { print, printJson, say } from './output.ts';

export function databaseCommand(): Command {
  const database = new Command('database').description('The database after the restore of a backup.');
  database
    .command('catch-up')
    .description(
      'Brings a restored database up to the log, while no worker runs: copies decisions, payments and dead letters, and moves the groups back.',
    )
    .option('--since <time>', 'read the log from this time on; by default from what the database knows', pastTime)
    .option('--json', 'print {"sinceMs","restored","letters","rewinds"}')
    .action(async ({ since, json }: { since?: number; json?: boolean }) => {
      const config = await connectedConfig();
      const caughtUp = await withDatabase(config, (sql) =>
        catchUp({ cluster: clusterOf(config), sql, say, ...(since === undefined ? {} : { sinceMs: since }) }),
      );
      if (json) return printJson(caughtUp);
      for (const [group, { partitions, records }] of Object.entries(caughtUp.rewinds))
        print(`${group} reads ${records} records again, in ${partitions} partitions`);
      print('the database is up to the log; start the workers, then run `ordermesh audit`');
    });
  return database;
}
