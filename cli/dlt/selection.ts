import { type Command, Option } from 'commander';
import { NegativeResult, UsageError } from '../../contracts/failure.ts';
import { subscriptions } from '../../contracts/topics.ts';
import { type Database, type DeadLetter, type DeadLetterFilter, readDeadLetters } from '../../store/index.ts';
import { pastTime, pointInTime, wholeNumber } from '../options.ts';
import { say } from '../output.ts';

/** The options by which dead letters are chosen, the same for every command. */
export interface SelectionOptions {
  group?: string;
  topic?: string;
  partition?: number;
  reason?: string;
  store?: string;
  since?: number;
  until?: number;
}

export const groupNames = [...new Set(subscriptions.map(({ group }) => group))];
const topicNames = [...new Set(subscriptions.map(({ topic }) => topic))];

export function withSelection(command: Command): Command {
  return command
    .addOption(new Option('--group <name>', 'parked by this group').choices(groupNames))
    .addOption(new Option('--topic <name>', 'messages of this topic').choices(topicNames))
    .option('--partition <n>', 'of this partition', wholeNumber(0))
    .option('--reason <code>', "parked for this reason, as 'dlt list' shows it")
    .option('--store <id>', 'orders of this store')
    .option('--since <time>', 'parked since then: a time, or how long ago such as 10m', pastTime)
    .option('--until <time>', 'parked before then', pointInTime);
}

const selectionNames = ['group', 'topic', 'partition', 'reason', 'store', 'since', 'until'] as const;

/** What was asked for, as the log of acts keeps it. */
export type DescribedSelection = Record<string, string | number | boolean>;

function describeSelection(
  orderId: string | undefined,
  options: SelectionOptions & { all?: boolean },
): DescribedSelection {
  const described: DescribedSelection = orderId === undefined ? {} : { orderId };
  for (const name of selectionNames) {
    const value = options[name];
    if (value === undefined) continue;
    described[name] = name === 'since' || name === 'until' ? new Date(Number(value)).toISOString() : value;
  }
  if (options.all === true) described.all = true;
  return described;
}

/** @throws UsageError unless an order, a filter or everything is named: nothing is done to everything by accident. */
export function requireSelection(
  verb: string,
  orderId: string | undefined,
  options: SelectionOptions & { all?: boolean },
): DescribedSelection {
  const described = describeSelection(orderId, options);
  const { all, ...narrowed } = described;
  if (Object.keys(described).length === 0)
    throw new UsageError(`name what to ${verb}: an orderId, a filter such as --reason or --store, or --all`);
  if (all === true && Object.keys(narrowed).length > 0)
    throw new UsageError(`--all and ${Object.keys(narrowed).join(', ')} contradict each other: leave one out`);
  return described;
}

/** The dead letters that are chosen, in the order in which they were parked. */
export async function* chosenLetters(
  sql: Database,
  options: SelectionOptions,
  more: Pick<DeadLetterFilter, 'key' | 'offset' | 'states'> = {},
): AsyncGenerator<DeadLetter> {
  const { store, ...narrowing } = options;
  const filter = Object.fromEntries(
    Object.entries(narrowing).filter(([name]) => selectionNames.includes(name as (typeof selectionNames)[number])),
  );
  for await (const letter of readDeadLetters(sql, { ...filter, ...more })) {
    if (store === undefined || storeOf(letter) === store) yield letter;
  }
}

/** @throws NegativeResult, which it says, when the order has no dead letter, whatever became of it */
export async function requireLetters(sql: Database, orderId: string): Promise<void> {
  for await (const _ of readDeadLetters(sql, { key: orderId })) return;
  say(noLetter(orderId));
  throw new NegativeResult();
}

export function noLetter(orderId: string, offset?: number): string {
  return `no dead letter of order ${orderId}${offset === undefined ? '' : ` at offset ${offset}`}`;
}

/** The store of the message's order, where its content says it. */
export function storeOf({ value }: Pick<DeadLetter, 'value'>): string | null {
  try {
    const document: unknown = JSON.parse(value?.toString() ?? '');
    const { storeId } = document as { storeId?: unknown };
    return typeof storeId === 'string' ? storeId : null;
  } catch {
    // No JSON: it is the content that may be broken, and then its store is not known.
    return null;
  }
}
