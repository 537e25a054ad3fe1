import { Command } from 'commander';
import { UsageError } from '../../contracts/failure.ts';
import { connectedConfig } from '../../stack/environment.ts';
import { withDatabase } from '../../store/index.ts';
import { positiveNumber, wholeNumber } from '../options.ts';
import { withActing } from './acting.ts';
import { type ReplayOptions, replay } from './replaying.ts';
import { requireSelection, withSelection } from './selection.ts';

export function replayCommand(): Command {
  const command = new Command('replay')
    .description(
      'Works on parked messages again, oldest first, and releases their orders. Messages that were parked behind them follow in order, ' +
        'and so does what comes meanwhile. The workers do it: it goes on if this command is interrupted, and asking again changes nothing.',
    )
    .argument('[orderId]', 'one order; otherwise those that the filter takes')
    .option('--all', 'everything that is parked')
    .option('--rate <n>', 'at most this many messages a second, over all workers', positiveNumber)
    .option(
      '--edit [patch]',
      'mend the content of one message first: a JSON patch (RFC 6902), a file with one, or your $EDITOR',
    )
    .option('--offset <n>', 'with --edit: the message at this offset; otherwise the first of the order', wholeNumber(0))
    .option('--why <text>', 'the reason, for the log; required with --edit')
    .option('--no-wait', 'return at once instead of following the replay to its end');
  return withActing(withSelection(command)).action(async (orderId: string | undefined, options: ReplayOptions) => {
    const selection = requireSelection('replay', orderId, options);
    checkEdit(orderId, options);
    const config = await connectedConfig();
    await withDatabase(config, (sql) => replay(sql, orderId, options, selection));
  });
}

function checkEdit(orderId: string | undefined, { edit, offset, why }: ReplayOptions): void {
  if (edit === undefined) {
    if (offset === undefined) return;
    throw new UsageError(
      '--offset is for --edit: a replay begins with the first message of an order, or order would be lost',
    );
  }
  if (orderId === undefined) throw new UsageError('--edit is for one order: name its orderId');
  if (why === undefined) throw new UsageError('--edit changes what was sent: say why with --why');
}
