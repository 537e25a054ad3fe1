// The command `ordermesh migrate`: brings the database to the version of this release, as the owner of the tables.

import { Command } from 'commander';
import { UsageError } from '../contracts/failure.ts';
import { migrationConfig } from '../stack/environment.ts';
import { type Migrated, migrate, roleStatements, serverAt, withPostgres } from '../store/index.ts';
import { print, printJson, say } from './output.ts';

interface MigrateOptions {
  dryRun?: boolean;
  contract?: boolean;
  printRoles?: boolean;
  json?: boolean;
}

export function migrateCommand(): Command {
  return new Command('migrate')
    .description(
      'Brings the database to the version of this release and gives every role its rights. Works as ORDERMESH_MIGRATION_DATABASE_URL, or else as DATABASE_URL.',
    )
    .option('--dry-run', 'only say what would be done')
    .option('--contract', 'also take away what the previous release needs, once none of its roles runs any more')
    .option('--print-roles', 'print the SQL with which an administrator makes the roles; touches no database')
    .option('--json', 'print {"version","applied","contracts","grants"}')
    .action(run);
}

async function run({ dryRun = false, contract = false, printRoles, json }: MigrateOptions): Promise<void> {
  if (printRoles) {
    if (dryRun || contract) throw new UsageError('--print-roles touches no database; it takes no other option');
    return print(roleStatements().trimEnd());
  }
  const config = await migrationConfig();
  const variable =
    config.ORDERMESH_MIGRATION_DATABASE_URL === undefined ? 'DATABASE_URL' : 'ORDERMESH_MIGRATION_DATABASE_URL';
  const migrated = await withPostgres({ server: serverAt(config.DATABASE_URL, config), variable }, (sql) =>
    migrate(sql, { dryRun, contract, onWait: say }),
  );
  if (json) printJson(migrated);
  else for (const line of spoken(migrated, dryRun)) print(line);
}

function spoken({ version, applied, contracts, grants }: Migrated, dryRun: boolean): string[] {
  const [would, isNow] = dryRun ? ['would apply', 'is'] : ['applied', 'is now'];
  return [
    ...applied.map((name) => `${would} ${name}`),
    ...grants.map((statement) => (dryRun ? `would ${statement}` : statement)),
    ...contracts.map(
      (name) => `left for \`ordermesh migrate --contract\`, after every role has the new release: ${name}`,
    ),
    `the database ${isNow} at version ${version}`,
  ];
}
