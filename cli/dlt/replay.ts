import { Command } from 'commander';
import { NegativeResult, UsageError } from '../../contracts/failure.ts';
import { connectedConfig } from '../../stack/environment.ts';
import type { Database, DeadLetter } from '../../store/index.ts';
import { requestReplay, withDatabase } from '../../store/index.ts';
import { positiveNumber, wholeNumber } from '../options.ts';
import { print, printJson, say } from '../output.ts';
import { type ActingOptions, confirm, keysOf, operatorOf, summary, withActing } from './acting.ts';
import { editedValue } from './editing.ts';
import { counted, placeOf } from './letter-view.ts';
import { followActs, type ReplayOutcome, sayFailures } from './progress.ts';
import { chosenLetters, requireLetters, requireSelection, type SelectionOptions, withSelection } from './selection.ts';

interface ReplayOptions extends SelectionOptions, ActingOptions {
  all?: boolean;
  rate?: number;
  edit?: string | true;
  offset?: number;
  wait: boolean;
}

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

async function replay(
  sql: Database,
  orderId: string | undefined,
  options: ReplayOptions,
  selection: Record<string, string | number | boolean>,
): Promise<void> {
  const chosen: DeadLetter[] = [];
  const narrowed = { ...(orderId === undefined ? {} : { key: orderId }), states: ['parked', 'replaying'] as const };
  for await (const letter of chosenLetters(sql, options, narrowed)) chosen.push(letter);
  if (chosen.length === 0) return await nothing(sql, orderId, options);
  const keys = keysOf(chosen);
  const edit = options.edit === undefined ? undefined : await editOf(chosen, options.edit, options.offset);
  if (options.dryRun) return plan(chosen, edit, options);
  if (keys.length > 1) await confirm(`replay ${summary(chosen)}`, options);

  const outcome = await requestReplay(sql, {
    operator: operatorOf(options),
    selection,
    keys,
    ...(options.why === undefined ? {} : { why: options.why }),
    ...(options.rate === undefined ? {} : { ratePerSecond: options.rate }),
    ...(edit === undefined ? {} : { edit }),
  });
  const { act, busy } = outcome;
  if (busy.length > 0) {
    if (edit !== undefined && act === undefined)
      throw new UsageError(
        `the order is in act ${busy[0]?.act} already, so it was not edited: stop it first with 'dlt stop'`,
      );
    say(
      `${counted(busy.length, 'order')} already in a replay (act ${[...new Set(busy.map((key) => key.act))].join(', ')})`,
    );
  }
  if (act !== undefined)
    say(`act ${act}: ${counted(outcome.letters, 'message')} of ${counted(outcome.keys, 'order')} to replay`);
  if (!options.wait) {
    if (options.json) printJson({ act: act ?? null, orders: outcome.keys, messages: outcome.letters });
    return;
  }
  say('the workers go on with it if this command is interrupted');
  const acts = [...new Set([...(act === undefined ? [] : [act]), ...busy.map((key) => key.act)])];
  await report(sql, acts, options, await followActs(sql, acts, say));
}

/** @throws NegativeResult for an order that has no dead letter at all, as `dlt show` does */
async function nothing(sql: Database, orderId: string | undefined, { json }: ReplayOptions): Promise<void> {
  if (json) printJson({ act: null, orders: 0, messages: 0 });
  if (orderId !== undefined) await requireLetters(sql, orderId);
  if (!json) print('nothing of that is parked');
}

async function editOf(letters: readonly DeadLetter[], edit: string | true, offset: number | undefined) {
  const places = new Set(letters.map(({ group }) => group));
  if (places.size > 1)
    throw new UsageError(`the order is parked by ${[...places].join(' and ')}: choose one with --group`);
  // In the order in which they were parked: offsets of two regions do not compare.
  const [first] = letters;
  const letter = offset === undefined ? first : letters.find((candidate) => candidate.offset === offset);
  if (letter === undefined)
    throw new UsageError(
      `the order has no parked message at offset ${offset}; it has ${letters.map((l) => l.offset).join(', ')}`,
    );
  return { ...letter, value: await editedValue(letter, edit) };
}

function plan(letters: readonly DeadLetter[], edit: DeadLetter | undefined, { json, rate }: ReplayOptions): void {
  const ordered = letters.toSorted((a, b) => a.key.localeCompare(b.key) || a.group.localeCompare(b.group));
  if (json) {
    printJson({
      dryRun: true,
      messages: ordered.map((letter) => ({ order: letter.key, group: letter.group, record: placeOf(letter) })),
    });
    return;
  }
  const pace = rate === undefined ? '' : `, at most ${rate} a second`;
  print(`would replay ${summary(letters)}${pace}, each order in this order, and what comes behind them:`);
  for (const letter of ordered) {
    const isEdited = edit !== undefined && edit.offset === letter.offset && edit.log === letter.log;
    print(`  ${letter.key}  ${placeOf(letter)}  by ${letter.group}${isEdited ? '  edited to:' : ''}`);
    if (isEdited) print(`    ${edit.value?.toString()}`);
  }
}

async function report(
  sql: Database,
  acts: readonly number[],
  { json }: ReplayOptions,
  outcome: ReplayOutcome,
): Promise<void> {
  const { replayed, failed } = outcome;
  if (json) printJson({ act: acts[0] ?? null, replayed, failed });
  else print(`${counted(replayed, 'message')} replayed, ${failed} failed again`);
  if (failed === 0) return;
  await sayFailures(sql, acts, say);
  throw new NegativeResult();
}
