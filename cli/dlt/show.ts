import { Command, Option } from 'commander';
import { NegativeResult } from '../../contracts/failure.ts';
import { connectedConfig } from '../../stack/environment.ts';
import { type DeadLetter, type TraceStep, traceOf, withDatabase } from '../../store/index.ts';
import { wholeNumber } from '../options.ts';
import { print, printJson, say } from '../output.ts';
import { counted, letterView, oneLine, placeOf, readable } from './letter-view.ts';
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
      if (json) printJson(found.map(asJson));
      else for (const { letter, trace } of found) show(letter, trace);
      if (found.length > 0) return;
      say(noLetter(orderId, offset));
      throw new NegativeResult();
    });
}

function asJson({ letter, trace }: { letter: DeadLetter; trace: TraceStep[] }) {
  const text = (bytes: Buffer | null) => (bytes === null ? null : bytes.toString());
  return {
    ...letterView(letter),
    headers: Object.fromEntries(Object.entries(letter.headers).map(([name, value]) => [name, value.toString()])),
    value: text(letter.value),
    editedValue: text(letter.editedValue),
    trace: trace.map((step) => ({ ...step, at: step.at.toISOString() })),
  };
}

function show(letter: DeadLetter, trace: readonly TraceStep[]): void {
  const { group, reason, error, attempts, behind, state, headers, value, editedValue, appliedAt } = letter;
  print(`${placeOf(letter)}, ${state}, parked by ${group} at ${letter.parkedAt.toISOString()}`);
  print(
    behind === null
      ? `  failed ${counted(attempts, 'time')} since ${new Date(letter.firstFailedAt).toISOString()}: ${reason}: ${oneLine(error, 1_000)}`
      : `  never tried: parked behind offset ${behind}, which failed with ${reason}: ${oneLine(error, 1_000)}`,
  );
  if (state !== 'replayed' && appliedAt !== null)
    print(`  its effects were written at ${appliedAt.toISOString()}; outputs may be missing until it is replayed`);
  print('  headers');
  for (const [name, bytes] of Object.entries(headers)) print(`    ${name}: ${oneLine(bytes.toString(), 200)}`);
  print('  content');
  print(indented(readable(value)));
  if (editedValue !== null) {
    print('  edited content, which a replay takes instead');
    print(indented(readable(editedValue)));
  }
  print('  history');
  for (const step of trace) print(`    ${step.at.toISOString()}  ${describe(step)}`);
  print('');
}

function describe({ event, act, operator, why, attempts, reason, error }: TraceStep): string {
  const by = act === null ? '' : ` (act ${act}, ${operator}${why === null ? '' : `: ${oneLine(why, 200)}`})`;
  const failure = reason === null ? '' : `${reason}: ${oneLine(error ?? '', 200)}`;
  switch (event) {
    case 'parked':
      return attempts === 0
        ? 'parked behind an earlier message'
        : `parked after ${counted(attempts ?? 0, 'attempt')}: ${failure}`;
    case 'replay':
      return `replay asked for${by}`;
    case 'edited':
      return `content edited${by}`;
    case 'failed':
      return `failed again after ${counted(attempts ?? 0, 'attempt')}: ${failure}${by}`;
    case 'stopped':
      return `taken out of its replay${by}`;
    default:
      return `${event}${by}`;
  }
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
