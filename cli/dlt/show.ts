import { Command, Option } from 'commander';
import { NegativeResult } from '../../contracts/failure.ts';
import { connectedConfig } from '../../stack/environment.ts';
import { type DeadLetter, type TraceStep, traceOf, withDatabase } from '../../store/index.ts';
import { wholeNumber } from '../options.ts';
import { printJson, say } from '../output.ts';
import { printLetter, tracedView } from './letter-text.ts';
import { chosenLetters, groupNames, noLetter } from './selection.ts';

interface ShowOptions {
  group?: string;
  offset?: number;
  json?: boolean;
}

export function showCommand(): Command {
  return new Command('show')
    .description('Shows the dead letters of one order: headers, content and what happened to them.')
    .argument('<orderId>', 'key of the messages')
    .addOption(new Option('--group <name>', 'parked by this group').choices(groupNames))
    .option('--offset <n>', 'only the message at this offset of its topic', wholeNumber(0))
    .option('--json', 'print an array')
    .action(async (orderId: string, { group, offset, json }: ShowOptions) => {
      const found = await withDatabase(await connectedConfig(), async (sql) => {
        const letters: { letter: DeadLetter; trace: TraceStep[] }[] = [];
        const filter = { key: orderId, ...(offset === undefined ? {} : { offset }) };
        for await (const letter of chosenLetters(sql, group === undefined ? {} : { group }, filter)) {
          letters.push({ letter, trace: [] });
        }
        for (const shown of letters) shown.trace = await traceOf(sql, shown.letter);
        return letters;
      });
      if (json) printJson(found.map(tracedView));
      else for (const { letter, trace } of found) printLetter(letter, trace);
      if (found.length > 0) return;
      say(noLetter(orderId, offset));
      throw new NegativeResult();
    });
}
