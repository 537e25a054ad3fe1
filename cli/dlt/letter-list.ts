// Gathers dead letters, and makes the tables of `dlt list`.

import type { Database } from '../../store/index.ts';
import { table } from '../output.ts';
import { counted, type LetterView, letterView, oneLine, placeOf } from './letter-view.ts';
import { chosenLetters, type SelectionOptions } from './selection.ts';

export interface ListOptions extends SelectionOptions {
  state?: 'parked' | 'replaying' | 'replayed' | 'discarded' | 'all';
  counts?: boolean;
  limit: number;
  json?: boolean;
}

const REASON_WIDTH = 60;

/** Dead letters of one group, reason and state. */
export interface Count {
  group: string;
  reason: string;
  state: string;
  messages: number;
  orders: number;
}

/** The first dead letters that are asked for, and counts of all of them. */
export async function gatherLetters(
  sql: Database,
  options: ListOptions,
): Promise<{ listed: LetterView[]; counts: Count[]; total: number }> {
  const states = {
    parked: ['parked'],
    replaying: ['replaying'],
    replayed: ['replayed'],
    discarded: ['discarded'],
  } as const;
  const { state } = options;
  const narrowed =
    state === 'all' ? {} : { states: state === undefined ? (['parked', 'replaying'] as const) : states[state] };
  const listed: LetterView[] = [];
  const counts = new Map<string, Count & { keys: Set<string> }>();
  let total = 0;
  for await (const letter of chosenLetters(sql, options, narrowed)) {
    total++;
    if (listed.length < options.limit) listed.push(letterView(letter));
    const name = JSON.stringify([letter.group, letter.reason, letter.state]);
    const { group, reason, state: is } = letter;
    const count = counts.get(name) ?? { group, reason, state: is, messages: 0, orders: 0, keys: new Set() };
    counts.set(name, count);
    count.messages++;
    count.keys.add(letter.key);
  }
  const summed = [...counts.values()].map(({ keys, ...count }) => ({ ...count, orders: keys.size }));
  return { listed, counts: summed.sort((a, b) => b.messages - a.messages), total };
}

export function lettersTable(letters: readonly LetterView[]): string {
  return table(['parked', 'group', 'order', 'store', 'record', 'state', 'why'], letters.map(rowOf));
}

function rowOf(letter: LetterView): string[] {
  const { parkedAt, group, key, store, state, reason, error, attempts, behind } = letter;
  const why = behind === null ? `${reason} (${counted(attempts, 'attempt')}): ${error}` : `behind ${behind}`;
  return [parkedAt, group, oneLine(key, 40), store ?? '', placeOf(letter), state, oneLine(why, REASON_WIDTH)];
}

export function countsTable(counts: readonly Count[]): string {
  return table(
    ['group', 'reason', 'state', 'messages', 'orders'],
    counts.map(({ group, reason, state, messages, orders }) => [group, oneLine(reason, 40), state, messages, orders]),
  );
}
