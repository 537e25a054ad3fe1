import { Command } from 'commander';
import { NegativeResult } from '../../contracts/failure.ts';
import { connectedConfig } from '../../stack/environment.ts';
import { type RecordedAct, readActItems, readActs, withDatabase } from '../../store/index.ts';
import { wholeNumber } from '../options.ts';
import { print, printJson, say, table } from '../output.ts';
import { oneLine, placeOf } from './letter-view.ts';

export function logCommand(): Command {
  return new Command('log')
    .description('Shows what operators did to dead letters: who, when, why, and to which messages.')
    .argument('[act]', 'one act, with its messages', wholeNumber(1))
    .option('--limit <n>', 'show at most this many, newest first', wholeNumber(1), 50)
    .option('--json', 'print an array, or one object for one act')
    .action(async (act: number | undefined, { limit, json }: { limit: number; json?: boolean }) => {
      await withDatabase(await connectedConfig(), async (sql) => {
        const acts = await readActs(sql, act === undefined ? { limit } : { act });
        if (act === undefined) {
          if (json) printJson(acts);
          else if (acts.length === 0) print('nothing was done yet');
          else print(table(['act', 'when', 'who', 'what', 'to', 'result', 'why'], acts.map(rowOf)));
          return;
        }
        const [found] = acts;
        if (found === undefined) {
          say(`there is no act ${act}`);
          throw new NegativeResult();
        }
        const items = await readActItems(sql, act);
        if (json) return printJson({ ...found, messages: items });
        print(table(['act', 'when', 'who', 'what', 'to', 'result', 'why'], [rowOf(found)]));
        const rows = items.map((item) => [
          item.at.toISOString(),
          item.event,
          item.group,
          item.key,
          placeOf(item),
          oneLine(item.error ?? '', 80),
        ]);
        print(table(['when', 'event', 'group', 'order', 'record', ''], rows));
      });
    });
}

function rowOf({
  act,
  at,
  operator,
  kind,
  selection,
  asked,
  replayed,
  failed,
  keysLeft,
  ratePerSecond,
  why,
}: RecordedAct): string[] {
  const to = Object.entries(selection).map(([name, value]) => `${name}=${value}`);
  if (ratePerSecond !== null) to.push(`rate=${ratePerSecond}`);
  const result =
    kind === 'replay'
      ? `${replayed} replayed, ${failed} failed again${keysLeft > 0 ? `, ${keysLeft} orders left` : ''}`
      : `${asked} ${kind === 'discard' ? 'discarded' : 'stopped'}`;
  return [
    String(act),
    at.toISOString(),
    oneLine(operator, 40),
    kind,
    oneLine(to.join(' '), 60),
    result,
    oneLine(why ?? '', 60),
  ];
}
