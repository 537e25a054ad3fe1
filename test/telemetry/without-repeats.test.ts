import { expect, test } from 'vitest';
import { withoutRepeats } from '../../telemetry/without-repeats.ts';

test('says a repeated line once in a while, and how often it came', () => {
  const said: string[] = [];
  let now = 0;
  const say = withoutRepeats(
    (line) => said.push(line),
    () => now,
  );
  say('down');
  say('other');
  for (now = 1_000; now < 5_000; now += 1_000) say('down');
  now = 10_000;
  say('down');
  expect(said).toEqual(['down', 'other', 'down (5 times)']);
});
