import { beforeEach, describe, expect, test } from 'vitest';
import { Standstill } from '../../region/standstill.ts';

let now: number;
let mirror: Standstill;
beforeEach(() => {
  now = 1_000_000;
  mirror = new Standstill({ now: () => now });
  mirror.started(0);
  mirror.look({ lag: 0, position: 0 });
});

/** Looks every two seconds. */
function lookFor(seconds: number, position: number, lag = 20): string[] {
  const seen: string[] = [];
  for (let n = 0; n < seconds; n += 2) {
    now += 2_000;
    seen.push(mirror.look({ lag, position }));
  }
  return seen;
}

describe('a mirror', () => {
  test('stands when records wait and none is copied for half a minute', () => {
    lookFor(2, 10);
    expect(lookFor(28, 10)).not.toContain('stands');
    expect(lookFor(2, 10)).toEqual(['stands']);
    expect(mirror.since).toBe(now - 30_000);
    expect(lookFor(2, 11)).toEqual(['copied']);
    expect(lookFor(28, 11)).not.toContain('stands');
  });

  test('does not stand while nothing waits, or while its source cannot be looked at', () => {
    lookFor(2, 10);
    expect(new Set(lookFor(120, 10, 0))).toEqual(new Set(['waits']));
    expect(lookFor(28, 10)).not.toContain('stands');
    mirror.blind();
    expect(lookFor(28, 10)).not.toContain('stands');
  });

  test('gets more time with every start that copies nothing', () => {
    expect(lookFor(58, 0)).not.toContain('stands');
    expect(lookFor(2, 0)).toEqual(['stands']);
    mirror.started(0);
    expect(lookFor(118, 0)).not.toContain('stands');
    expect(lookFor(2, 0)).toEqual(['stands']);
    mirror.started(0);
    lookFor(2, 0);
    expect(lookFor(2, 1)).toEqual(['copied']);
    mirror.started(1);
    expect(lookFor(60, 1).at(-1)).toBe('stands');
  });

  test('has not copied what an earlier one did, which is only read late', () => {
    mirror.started(100);
    expect([...lookFor(2, 40), ...lookFor(2, 70), ...lookFor(2, 100)]).toEqual(['waits', 'waits', 'waits']);
    expect(lookFor(2, 101)).toEqual(['copied']);
    // A topic that was created again begins at 0.
    expect(lookFor(2, 60)).toEqual(['copied']);
  });
});
