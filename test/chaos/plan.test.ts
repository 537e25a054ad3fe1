import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countFaults, type Fault, lanes, makePlan } from '../../chaos/plan.ts';

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
];
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

describe('the plan of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(makePlan(seed)).toEqual(makePlan(seed));
      }),
    );
    expect(makePlan(1)).not.toEqual(makePlan(2));
  });

  it('has every kind of fault', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const plan = makePlan(seed);
        const planned = new Set(lanes.flatMap((lane) => plan[lane].map(({ fault }) => fault.kind)));
        expect([...planned].sort()).toEqual([...kinds].sort());
        expect(countFaults(plan)).toBeGreaterThanOrEqual(kinds.length);
      }),
    );
  });

  it('ends within two minutes, each lane in order', () => {
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

  it('stops workers past their session, which makes zombies of them', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const long = makePlan(seed).processes.filter(
          ({ fault }) => fault.kind === 'stop-process' && fault.forMs > 11_000,
        );
        expect(long.length).toBeGreaterThanOrEqual(2);
      }),
    );
  });
});
