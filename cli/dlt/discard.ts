import { Command } from 'commander';
import { connectedConfig } from '../../stack/environment.ts';
import { withDatabase } from '../../store/index.ts';
import { wholeNumber } from '../options.ts';
import { withActing } from './acting.ts';
import { type DiscardOptions, discard } from './discarding.ts';
import { requireSelection, withSelection } from './selection.ts';

export function discardCommand(): Command {
  const command = new Command('discard')
    .description(
      'Gives parked messages up: they are never worked on. What is behind them stays parked until it is replayed or discarded too; ' +
        'an order with nothing left is released.',
    )
    .argument('[orderId]', 'one order; otherwise those that the filter takes')
    .requiredOption('--why <text>', 'the reason, for the log')
    .option('--all', 'everything that is parked')
    .option('--applied', 'also messages whose effects are written: only their outputs are given up')
    .option('--offset <n>', 'only the message at this offset of its topic', wholeNumber(0));
  return withActing(withSelection(command)).action(async (orderId: string | undefined, options: DiscardOptions) => {
    const selection = requireSelection('discard', orderId, options);
    if (options.offset !== undefined) selection.offset = options.offset;
    await withDatabase(await connectedConfig(), (sql) => discard(sql, orderId, options, selection));
  });
}
