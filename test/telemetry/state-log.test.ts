import { pino } from 'pino';
import { expect, test } from 'vitest';
import { worthShowing } from '../../stack/system/log-file.ts';
import { StateLog, States } from '../../telemetry/state-log.ts';

test('tells a state once when it begins and once when it ends, with its length', () => {
  let now = 1_000;
  const lines: string[] = [];
  const log = new StateLog(pino({ base: null }, { write: (line: string) => void lines.push(line) }), {
    now: () => now,
  });
  for (let attempt = 0; attempt < 150; attempt++) log.begin('rows', 'BigQuery takes no rows', { reason: `${attempt}` });
  log.begin('other', 'something else stands');
  expect(log.since('rows')).toBe(1_000);
  now += 63_000;
  for (let attempt = 0; attempt < 3; attempt++) log.end('rows', 'BigQuery takes rows again');
  log.begin('rows', 'BigQuery takes no rows');
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
    'BigQuery takes no rows',
    'something else stands',
    'BigQuery takes rows again after 63 s',
    'BigQuery takes no rows',
  ]);
  // `ordermesh up` shows both ends of a state.
  expect(lines.map(worthShowing)).toEqual([
    'BigQuery takes no rows: 0',
    'something else stands',
    'BigQuery takes rows again after 63 s',
    'BigQuery takes no rows',
  ]);
});

test('knows nothing of a state that did not begin', () => {
  const states = new States({ now: () => 5_000 });
  expect(states.end('a')).toBeUndefined();
  expect([states.begin('a', 1_000), states.begin('a')]).toEqual([true, false]);
  expect(states.end('a')).toBe(4_000);
});
