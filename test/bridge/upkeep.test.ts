import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { Upkeep } from '../../bridge/upkeep.ts';

test('says once that something is not in place, whatever the reason of each attempt, and once that it is again', async () => {
  const lines: string[] = [];
  const logger = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
  let attempt = 0;
  let works = false;
  const upkeep = new Upkeep(
    'BigQuery tables',
    async () => {
      attempt++;
      if (!works) throw new Error(`request ${attempt} failed`);
    },
    { logger, intervalMs: 3_600_000, registry: new Registry() },
  );
  for (let count = 0; count < 20; count++) await upkeep.run();
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

test('says of what is made again that its contents are lost, and nothing of what is made for the first time', async () => {
  const lines: string[] = [];
  const logger = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
  const registry = new Registry();
  let missing = ['topic t', 'subscription s'];
  let fails = true;
  const upkeep = new Upkeep(
    'Pub/Sub topic and subscriptions',
    async (onMade) => {
      for (const what of missing) onMade(what);
      missing = fails ? ['subscription s'] : [];
      if (fails) throw new Error('one of them could not be made');
    },
    { logger, intervalMs: 3_600_000, registry },
  );
  const remade = async () => (await registry.metrics()).match(/^ordermesh_google_cloud_remade_total (\d+)$/m)?.[1];
  await upkeep.run();
  fails = false;
  await upkeep.run();
  expect(await remade()).toBe('0');
  missing = ['topic t', 'subscription s'];
  await upkeep.run();
  await upkeep.run();
  expect(await remade()).toBe('2');
  expect(lines.slice(-2)).toEqual([
    'topic t was gone and is made again; what it held is lost',
    'subscription s was gone and is made again; what it held is lost',
  ]);
  await upkeep.close();
});
