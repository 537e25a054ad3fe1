import { expect, test } from 'vitest';
import { isWell, type MeshHealth } from '../../region/operations/mesh-health.ts';

const state = { epoch: 4, active: 'west', source: 'west', tenure: 4, since: '2026-11-24T10:00:00.000Z' };
const well: MeshHealth = {
  state,
  regions: [
    { name: 'east', log: 'answers', state, database: 'standby', databaseAgeS: 0 },
    { name: 'west', log: 'answers', state, database: 'takes writes' },
  ],
  mirror: [{ topic: 'raw-orders', partition: 0, lag: 7, state: 'replicating' }],
};

test('two regions that answer, one following the other, are well', () => {
  expect(isWell(well)).toBe(true);
});

test.each<[string, Partial<MeshHealth>]>([
  ['a log that does not answer', { regions: well.regions.map((region) => ({ ...region, log: 'does not answer' })) }],
  [
    'a database that does not answer',
    { regions: well.regions.map((each) => ({ ...each, database: 'does not answer' })) },
  ],
  [
    'a passive database that takes writes',
    { regions: well.regions.map((each) => ({ ...each, database: 'takes writes' })) },
  ],
  ['no active region', { state: { epoch: 4, tenure: 1, since: state.since, next: 'west' } }],
  ['a failover that is not finished', { state: { ...state, unfinished: true } }],
  ['a topic that was truncated', { mirror: [{ topic: 'raw-orders', partition: 0, lag: 0, state: 'truncated' }] }],
])('%s is not well', (_, change) => {
  expect(isWell({ ...well, ...change })).toBe(false);
});
