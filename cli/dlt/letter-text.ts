import type { DeadLetter, TraceStep } from '../../store/index.ts';
import { print } from '../output.ts';
import { counted, letterView, oneLine, placeOf, readable } from './letter-view.ts';

/** A dead letter with its content and what happened to it, as `dlt show --json` prints it. */
export function tracedView({ letter, trace }: { letter: DeadLetter; trace: TraceStep[] }) {
  const text = (bytes: Buffer | null) => (bytes === null ? null : bytes.toString());
  return {
    ...letterView(letter),
    headers: Object.fromEntries(Object.entries(letter.headers).map(([name, value]) => [name, value.toString()])),
    value: text(letter.value),
    editedValue: text(letter.editedValue),
    trace: trace.map((step) => ({ ...step, at: step.at.toISOString() })),
  };
}

/** The same for a person. */
export function printLetter(letter: DeadLetter, trace: readonly TraceStep[]): void {
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
