import { Command } from 'commander';
import { connectedConfig } from '../../stack/environment.ts';
import { listVersions, withDatabase } from '../../store/index.ts';
import { print, printJson, table } from '../output.ts';

export function listCommand(): Command {
  return new Command('list')
    .description('Lists the versions of the menu that orders may still be judged by, and those to come.')
    .option('--json', 'print [{"version","effectiveAt","loadedAt","items","inForce"}]')
    .action(async ({ json }: { json?: boolean }) => {
      const versions = await withDatabase(await connectedConfig(), listVersions);
      if (json) printJson(versions);
      else if (versions.length === 0) print('there is no menu; load one with `ordermesh menu load FILE`');
      else
        print(
          table(
            ['version', 'in force from', 'loaded at', 'items', ''],
            versions.map(({ version, effectiveAt, loadedAt, items, inForce }) => [
              version,
              effectiveAt,
              loadedAt,
              items,
              inForce ? 'in force' : '',
            ]),
          ),
        );
    });
}
