import { Command, Option } from 'commander';
import { connectedConfig } from '../../stack/environment.ts';
import { withDatabase } from '../../store/index.ts';
import { wholeNumber } from '../options.ts';
import { print, printJson, say, table } from '../output.ts';
import { counted, type LetterView, letterView, oneLine, placeOf } from './letter-view.ts';
import { chosenLetters, type SelectionOptions, withSelection } from './selection.ts';

interface ListOptions extends SelectionOptions {
  state?: 'parked' | 'replaying' | 'replayed' | 'discarded' | 'all';
  counts?: boolean;
  limit: number;
  json?: boolean;
}

const REASON_WIDTH = 60;

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
      const { listed, counts, total } = await gather(options);
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
        print(table(['parked', 'group', 'order', 'store', 'record', 'state', 'why'], listed.map(rowOf)));
        const orders = counts.reduce((sum, { orders }) => sum + orders, 0);
        print(`${counted(total, 'message')} of ${counted(orders, 'order')}`);
      }
    });
}

interface Count {
  group: string;
  reason: string;
  state: string;
  messages: number;
  orders: number;
}

async function gather(options: ListOptions): Promise<{ listed: LetterView[]; counts: Count[]; total: number }> {
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
  await withDatabase(await connectedConfig(), async (sql) => {
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
  });
  const summed = [...counts.values()].map(({ keys, ...count }) => ({ ...count, orders: keys.size }));
  return { listed, counts: summed.sort((a, b) => b.messages - a.messages), total };
}

function rowOf(letter: LetterView): string[] {
  const { parkedAt, group, key, store, state, reason, error, attempts, behind } = letter;
  const why = behind === null ? `${reason} (${counted(attempts, 'attempt')}): ${error}` : `behind ${behind}`;
  return [parkedAt, group, oneLine(key, 40), store ?? '', placeOf(letter), state, oneLine(why, REASON_WIDTH)];
}

function countsTable(counts: readonly Count[]): string {
  return table(
    ['group', 'reason', 'state', 'messages', 'orders'],
    counts.map(({ group, reason, state, messages, orders }) => [group, oneLine(reason, 40), state, messages, orders]),
  );
}
