import { Command } from 'commander';
import { connectedConfig } from '../../stack/environment.ts';
import { type DeadLetter, stopReplay, withDatabase } from '../../store/index.ts';
import { print, printJson } from '../output.ts';
import { type ActingOptions, keysOf, operatorOf, summary, withActing } from './acting.ts';
import { counted } from './letter-view.ts';
import { chosenLetters, requireLetters, requireSelection, type SelectionOptions, withSelection } from './selection.ts';

export function stopCommand(): Command {
  const command = new Command('stop')
    .description(
      'Takes orders out of their replay. What is being worked on ends first; the rest stays parked, in order.',
    )
    .argument('[orderId]', 'one order; otherwise those that the filter takes')
    .option('--why <text>', 'the reason, for the log')
    .option('--all', 'every replay');
  return withActing(withSelection(command)).action(
    async (orderId: string | undefined, options: SelectionOptions & ActingOptions & { all?: boolean }) => {
      const selection = requireSelection('stop', orderId, options);
      await withDatabase(await connectedConfig(), async (sql) => {
        const letters: DeadLetter[] = [];
        const narrowed = { ...(orderId === undefined ? {} : { key: orderId }), states: ['replaying'] as const };
        for await (const letter of chosenLetters(sql, options, narrowed)) letters.push(letter);
        if (letters.length === 0 && orderId !== undefined) await requireLetters(sql, orderId);
        if (options.dryRun) {
          print(`would take ${summary(letters)} out of their replay`);
          return;
        }
        const { why } = options;
        const keys = keysOf(letters);
        const request = { operator: operatorOf(options), selection, keys, ...(why === undefined ? {} : { why }) };
        const { act, keys: stopped, letters: left } = await stopReplay(sql, request);
        if (options.json) printJson({ act: act ?? null, orders: stopped, messages: left });
        else if (act === undefined) print('nothing of that is in a replay');
        else
          print(
            `act ${act}: ${counted(stopped, 'order')} taken out of their replay, ${counted(left, 'message')} left parked`,
          );
      });
    },
  );
}
