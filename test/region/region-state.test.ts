import { expect, test } from 'vitest';
import { newestState, note, type RegionRecords, type RegionState } from '../../region/region-state.ts';

const state = (epoch: number, active: string): RegionState => ({
  epoch,
  active,
  tenure: epoch,
  since: '2026-11-24T00:00:00.000Z',
});

function noted(...records: [key: string, value: unknown][]): RegionRecords {
  const known: RegionRecords = { orphans: [] };
  for (const [key, value] of records)
    note(known, {
      key: Buffer.from(key),
      value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    });
  return known;
}

test('of two states the higher epoch holds, whichever was written last', () => {
  expect(noted(['state', state(3, 'west')], ['state', state(2, 'east')]).state?.active).toBe('west');
});

test('what is no record of ours changes nothing', () => {
  expect(noted(['state', '{'], ['state', 'null'], ['state', { epoch: 'x' }], ['other', {}])).toEqual({ orphans: [] });
});

test('orphans of every tenure are kept', () => {
  const orphans = (tenure: number) => ({
    tenure,
    ranges: [{ topic: 'raw-orders', partition: 0, from: 1, to: tenure }],
  });
  expect(noted(['orphans/3', orphans(3)], ['orphans/6', orphans(6)]).orphans.map(({ tenure }) => tenure)).toEqual([
    3, 6,
  ]);
});

test('of the states of several clusters the one of the highest epoch holds; a cluster without one does not count', () => {
  const of = (epoch: number) => ({ state: { epoch, active: 'east', tenure: 1, since: '2026-11-24T10:00:00.000Z' } });
  expect(newestState([of(2), of(3), {}, undefined, of(1)])?.epoch).toBe(3);
  expect(newestState([{}, undefined])).toBeUndefined();
});
