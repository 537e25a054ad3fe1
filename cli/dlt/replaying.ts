import { NegativeResult, UsageError } from '../../contracts/failure.ts';
import { type Database, type DeadLetter, requestReplay } from '../../store/index.ts';
import { print, printJson, say } from '../output.ts';
import { type ActingOptions, actsOf, confirm, keysOf, operatorOf, summary } from './acting.ts';
import { editedValue } from './editing.ts';
import { counted, placeOf } from './letter-view.ts';
import { followActs, type ReplayOutcome, sayFailures } from './progress.ts';
import { chosenLetters, type DescribedSelection, requireLetters, type SelectionOptions } from './selection.ts';

export interface ReplayOptions extends SelectionOptions, ActingOptions {
  all?: boolean;
  rate?: number;
  edit?: string | true;
  offset?: number;
  wait: boolean;
}

/** The work of `dlt replay`: asks for the replay, and follows it to its end unless told not to. */
export async function replay(
  sql: Database,
  orderId: string | undefined,
  options: ReplayOptions,
  selection: DescribedSelection,
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
    say(`${counted(busy.length, 'order')} already in a replay (act ${actsOf(busy)})`);
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
