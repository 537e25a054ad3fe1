import { Command } from 'commander';
import { listScreens } from '../../store/index.ts';
import { print, printJson, table } from '../output.ts';
import { storeId } from '../token/store-id.ts';
import { shown, withScreens } from './shown.ts';

interface ListOptions {
  store?: string;
  all?: boolean;
  json?: boolean;
}

export function listCommand(): Command {
  return new Command('list')
    .description('Lists the screens that are admitted.')
    .option('--store <id>', 'only those of one store', storeId)
    .option('--all', 'also those that were revoked or have expired')
    .option('--json', 'print {"screens":[…]}')
    .action(({ store, all = false, json }: ListOptions) =>
      withScreens(async (sql) => {
        const screens = await listScreens(sql, { storeId: store, all });
        if (json) return printJson({ screens: screens.map(shown) });
        if (screens.length === 0) return print('no screen is admitted');
        const day = (at: Date | undefined) => at?.toISOString().slice(0, 16).replace('T', ' ') ?? 'never';
        print(
          table(
            ['id', 'name', 'store', 'last seen', 'admitted until'],
            screens.map((screen) => [
              screen.screenId,
              screen.name,
              screen.storeId ?? '(chain)',
              day(screen.seenAt),
              screen.revokedAt === undefined ? day(screen.expiresAt) : `revoked ${day(screen.revokedAt)}`,
            ]),
          ),
        );
      }),
    );
}
