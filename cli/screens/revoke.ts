import { Command } from 'commander';
import { NegativeResult, UsageError } from '../../contracts/failure.ts';
import { revokeScreens } from '../../store/index.ts';
import { print, printJson, say } from '../output.ts';
import { storeId } from '../token/store-id.ts';
import { shown, withScreens } from './shown.ts';

interface RevokeOptions {
  store?: string;
  json?: boolean;
}

export function revokeCommand(): Command {
  return new Command('revoke')
    .description('Removes a screen, or every screen of a store. Its page loses its tickets within seconds.')
    .argument('[id]', 'id of the screen, as `display list` shows it')
    .option('--store <id>', 'every screen of this store', storeId)
    .option('--json', 'print {"revoked":[…]}')
    .action(async (screenId: string | undefined, { store, json }: RevokeOptions) => {
      const which = store === undefined ? screenId && { screenId } : screenId === undefined && { storeId: store };
      if (!which) throw new UsageError('give the id of a screen, or --store <id> for every screen of a store');
      await withScreens(async (sql) => {
        const revoked = await revokeScreens(sql, which);
        if (json) printJson({ revoked: revoked.map(shown) });
        else for (const { screenId: id, name } of revoked) print(`${id}: "${name}" was removed`);
        if (revoked.length > 0) return;
        if (!json) say('ordermesh: no admitted screen is named so; `ordermesh display list` shows them');
        throw new NegativeResult();
      });
    });
}
