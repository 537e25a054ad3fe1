import { pino } from 'pino';
import { expect, it } from 'vitest';
import { Upkeep } from '../../bridge/upkeep.ts';

it('says once that something is not in place, whatever the reason of each attempt, and once that it is again', async () => {
  const lines: string[] = [];
  const logger = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
  let attempt = 0;
  let works = false;
  const upkeep = new Upkeep(
    'BigQuery tables',
    async () => {
      attempt += 1;
      if (!works) throw new Error(`request ${attempt} failed`);
    },
    logger,
    3_600_000,
  );
  for (let count = 0; count < 20; count += 1) await upkeep.run();
  expect(upkeep.problem).toMatch(/^request \d+ failed$/);
  works = true;
  await upkeep.run();
  await upkeep.run();
  expect(upkeep.problem).toBeUndefined();
  expect(lines).toEqual([
    'BigQuery tables not in place',
    expect.stringMatching(/^BigQuery tables in place again after /),
  ]);
  await upkeep.close();
});
