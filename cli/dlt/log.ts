import { Command } from 'commander';
import { NegativeResult } from '../../contracts/failure.ts';
import { connectedConfig } from '../../stack/environment.ts';
import { readActItems, readActs, withDatabase } from '../../store/index.ts';
import { wholeNumber } from '../options.ts';
import { print, printJson, say } from '../output.ts';
import { actItemsTable, actsTable } from './act-table.ts';

export function logCommand(): Command {
  return new Command('log')
    .description('Shows what operators did to dead letters: who, when, why, and to which messages.')
    .argument('[act]', 'one act, with its messages', wholeNumber(1))
    .option('--limit <n>', 'show at most this many, newest first', wholeNumber(1), 50)
    .option('--json', 'print an array, or one object for one act')
    .action(async (act: number | undefined, { limit, json }: { limit: number; json?: boolean }) => {
      await withDatabase(await connectedConfig(), async (sql) => {
        const acts = await readActs(sql, act === undefined ? { limit } : { act });
        if (act === undefined) {
          if (json) printJson(acts);
          else if (acts.length === 0) print('nothing was done yet');
          else print(actsTable(acts));
          return;
        }
        const [found] = acts;
        if (found === undefined) {
          say(`there is no act ${act}`);
          throw new NegativeResult();
        }
        const items = await readActItems(sql, act);
        if (json) return printJson({ ...found, messages: items });
        print(actsTable([found]));
        print(actItemsTable(items));
      });
    });
}
