import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countFaults, type Fault, lanes, makePlan } from '../../../lab/chaos/plan.ts';
import { apiKeys } from '../../../lab/chaos/wire/frames.ts';

const kinds: Fault['kind'][] = [
  'kill-process',
  'stop-process',
  'rebalance-storm',
  'kill-broker',
  'stop-broker',
  'leader-bounce',
  'rolling-restart',
  'network-cut',
  'network-latency',
  'restart-database',
  'lost-answer',
];
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

describe('the plan of faults', () => {
  test('is the same for the same seed, and another for another', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(makePlan(seed)).toEqual(makePlan(seed));
      }),
    );
    expect(makePlan(1)).not.toEqual(makePlan(2));
  });

  test('has every kind of fault', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const plan = makePlan(seed);
        const planned = new Set(lanes.flatMap((lane) => plan[lane].map(({ fault }) => fault.kind)));
        expect([...planned].sort()).toEqual([...kinds].sort());
        expect(countFaults(plan)).toBeGreaterThanOrEqual(kinds.length);
      }),
    );
  });

  test('ends within two minutes, each lane in order', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        for (const faults of Object.values(makePlan(seed))) {
          const times = faults.map(({ atMs }) => atMs);
          expect(times).toEqual(times.toSorted((a, b) => a - b));
          expect(times.at(-1)).toBeLessThan(120_000);
        }
      }),
    );
  });

  test('stops workers past their session, which makes zombies of them', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const long = makePlan(seed).processes.filter(
          ({ fault }) => fault.kind === 'stop-process' && fault.forMs > 11_000,
        );
        expect(long.length).toBeGreaterThanOrEqual(2);
      }),
    );
  });

  test('loses an answer of every kind, and those of SyncGroup in every way, each with a rebalance', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const lost = makePlan(seed).answers.flatMap(({ fault }) => (fault.kind === 'lost-answer' ? [fault] : []));
        expect(new Set(lost.map(({ request }) => request))).toEqual(new Set(Object.keys(apiKeys)));
        const syncs = lost.filter(({ request }) => request === 'SyncGroup');
        expect(syncs.map(({ lost: { how } }) => how).sort()).toEqual(['closed', 'late', 'swallowed']);
        // A rebalance that follows would heal what a lost answer has broken: it is lost in the last one.
        for (const { visit } of syncs) {
          expect(visit).toBeDefined();
          expect(visit?.zone).toBeUndefined();
          expect(visit?.loseWhile).toBe('it leaves');
        }
        // A late answer comes when the member's session is over.
        for (const { lost: how } of lost) if (how.how === 'late') expect(how.lateMs).toBeGreaterThan(11_000);
      }),
    );
  });

  test('stops one broker for longer than clients wait for two answers, at times the coordinator of a group', () => {
    const stops = Array.from({ length: 50 }, (_, seed) => makePlan(seed)).flatMap(({ brokers }) =>
      brokers.flatMap(({ fault }) => (fault.kind === 'stop-broker' ? [fault] : [])),
    );
    for (const { forMs } of stops) expect(forMs).toBeGreaterThanOrEqual(20_000);
    expect(stops.some(({ target }) => typeof target === 'object')).toBe(true);
    expect(stops.some(({ target }) => typeof target === 'number')).toBe(true);
  });
});
