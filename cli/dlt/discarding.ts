import { NegativeResult } from '../../contracts/failure.ts';
import { type Database, type DeadLetter, discardDeadLetters } from '../../store/index.ts';
import { print, printJson, say } from '../output.ts';
import { type ActingOptions, actsOf, confirm, operatorOf, summary } from './acting.ts';
import { counted, placeOf } from './letter-view.ts';
import { chosenLetters, type DescribedSelection, requireLetters, type SelectionOptions } from './selection.ts';

export interface DiscardOptions extends SelectionOptions, ActingOptions {
  all?: boolean;
  offset?: number;
  applied?: boolean;
  why: string;
}

/** The work of `dlt discard`. @throws NegativeResult when messages were left alone, which it says */
export async function discard(
  sql: Database,
  orderId: string | undefined,
  options: DiscardOptions,
  selection: DescribedSelection,
): Promise<void> {
  const letters: DeadLetter[] = [];
  const { offset, applied: withApplied } = options;
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
  if (options.dryRun) return plan(letters, options);
  if (letters.length > 1) await confirm(`discard ${summary(letters)}`, options);
  const outcome = await discardDeadLetters(sql, {
    operator: operatorOf(options),
    why: options.why,
    selection,
    letters,
    ...(withApplied === undefined ? {} : { applied: withApplied }),
  });
  report(outcome, options);
}

function plan(letters: readonly DeadLetter[], { json }: DiscardOptions): void {
  if (json) {
    printJson({ dryRun: true, messages: letters.map((letter) => ({ order: letter.key, record: placeOf(letter) })) });
    return;
  }
  print(`would discard ${summary(letters)}:`);
  for (const letter of letters) print(`  ${letter.key}  ${placeOf(letter)}  by ${letter.group}`);
}

function report(
  { act, letters, busy, applied }: Awaited<ReturnType<typeof discardDeadLetters>>,
  { json }: DiscardOptions,
): void {
  if (json) printJson({ act: act ?? null, messages: letters });
  else print(act === undefined ? 'nothing was discarded' : `act ${act}: ${counted(letters, 'message')} discarded`);
  if (applied > 0)
    say(
      `${counted(applied, 'message')} left alone: the effects are written and only outputs are missing; replay to complete them, or discard with --applied`,
    );
  if (busy.length > 0)
    say(
      `${counted(busy.length, 'order')} left alone: in a replay (act ${actsOf(busy)}); stop it first with 'dlt stop'`,
    );
  if (applied > 0 || busy.length > 0) throw new NegativeResult();
}
