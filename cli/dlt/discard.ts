import { Command } from 'commander';
import { NegativeResult } from '../../contracts/failure.ts';
import { connectedConfig } from '../../stack/environment.ts';
import type { DeadLetter } from '../../store/index.ts';
import { discardDeadLetters, withDatabase } from '../../store/index.ts';
import { wholeNumber } from '../options.ts';
import { print, printJson, say } from '../output.ts';
import { type ActingOptions, confirm, operatorOf, summary, withActing } from './acting.ts';
import { counted, placeOf } from './letter-view.ts';
import { chosenLetters, requireLetters, requireSelection, type SelectionOptions, withSelection } from './selection.ts';

interface DiscardOptions extends SelectionOptions, ActingOptions {
  all?: boolean;
  offset?: number;
  applied?: boolean;
  why: string;
}

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
    await withDatabase(await connectedConfig(), async (sql) => {
      const letters: DeadLetter[] = [];
      const { offset } = options;
      const narrowed = {
        ...(orderId === undefined ? {} : { key: orderId }),
        ...(offset === undefined ? {} : { offset }),
        states: ['parked', 'replaying'] as const,
      };
      for await (const letter of chosenLetters(sql, options, narrowed)) letters.push(letter);
      if (letters.length === 0) {
        if (options.json) printJson({ act: null, messages: 0 });
        if (orderId !== undefined) await requireLetters(sql, orderId);
        if (!options.json) print('nothing of that is parked');
        return;
      }
      if (options.dryRun) {
        if (options.json)
          printJson({
            dryRun: true,
            messages: letters.map((letter) => ({ order: letter.key, record: placeOf(letter) })),
          });
        else {
          print(`would discard ${summary(letters)}:`);
          for (const letter of letters) print(`  ${letter.key}  ${placeOf(letter)}  by ${letter.group}`);
        }
        return;
      }
      if (letters.length > 1) await confirm(`discard ${summary(letters)}`, options);
      const {
        act,
        letters: discarded,
        busy,
        applied,
      } = await discardDeadLetters(sql, {
        operator: operatorOf(options),
        why: options.why,
        selection,
        letters,
        ...(options.applied === undefined ? {} : { applied: options.applied }),
      });
      if (options.json) printJson({ act: act ?? null, messages: discarded });
      else
        print(act === undefined ? 'nothing was discarded' : `act ${act}: ${counted(discarded, 'message')} discarded`);
      if (applied > 0)
        say(
          `${counted(applied, 'message')} left alone: the effects are written and only outputs are missing; replay to complete them, or discard with --applied`,
        );
      if (busy.length > 0)
        say(
          `${counted(busy.length, 'order')} left alone: in a replay (act ${[...new Set(busy.map((key) => key.act))].join(', ')}); stop it first with 'dlt stop'`,
        );
      if (applied > 0 || busy.length > 0) throw new NegativeResult();
    });
  });
}
