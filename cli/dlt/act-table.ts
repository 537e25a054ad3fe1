import type { RecordedAct, readActItems } from '../../store/index.ts';
import { table } from '../output.ts';
import { oneLine, placeOf } from './letter-view.ts';

/** What operators did, an act a row. */
export function actsTable(acts: readonly RecordedAct[]): string {
  return table(['act', 'when', 'who', 'what', 'to', 'result', 'why'], acts.map(rowOf));
}

/** What became of each message of one act. */
export function actItemsTable(items: Awaited<ReturnType<typeof readActItems>>): string {
  const rows = items.map((item) => [
    item.at.toISOString(),
    item.event,
    item.group,
    item.key,
    placeOf(item),
    oneLine(item.error ?? '', 80),
  ]);
  return table(['when', 'event', 'group', 'order', 'record', ''], rows);
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
