import { Command, Option } from 'commander';
import { connectedConfig } from '../../stack/environment.ts';
import { withDatabase } from '../../store/index.ts';
import { wholeNumber } from '../options.ts';
import { print, printJson, say } from '../output.ts';
import { countsTable, gatherLetters, type ListOptions, lettersTable } from './letter-list.ts';
import { counted } from './letter-view.ts';
import { withSelection } from './selection.ts';

export function listCommand(): Command {
  return withSelection(
    new Command('list').description('Lists dead letters in the order in which they were parked, and counts them.'),
  )
    .addOption(
      new Option('--state <state>', 'in this state; otherwise those that wait (parked or replaying)').choices([
        'parked',
        'replaying',
        'replayed',
        'discarded',
        'all',
      ]),
    )
    .option('--counts', 'count them by group, reason and state, and list none')
    .option('--limit <n>', 'list at most this many', wholeNumber(1), 100)
    .option('--json', 'print an array')
    .action(async (options: ListOptions) => {
      const { listed, counts, total } = await withDatabase(await connectedConfig(), (sql) =>
        gatherLetters(sql, options),
      );
      if (options.counts) {
        if (options.json) printJson(counts);
        else if (counts.length === 0) print('no dead letters');
        else print(countsTable(counts));
        return;
      }
      if (total > listed.length)
        say(`the first ${listed.length} of ${total}; --limit shows more, --counts sums them up`);
      if (options.json) printJson(listed);
      else if (listed.length === 0) print('no dead letters');
      else {
        print(lettersTable(listed));
        const orders = counts.reduce((sum, { orders }) => sum + orders, 0);
        print(`${counted(total, 'message')} of ${counted(orders, 'order')}`);
      }
    });
}
