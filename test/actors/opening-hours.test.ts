import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOpen, localMinute } from '../../actors/order-validator/opening-hours.ts';

describe('isOpen', () => {
  const at = (time: string) => Date.parse(time);

  test.each<[string, number, number, string, boolean]>([
    ['first minute', 360, 1380, '2026-11-22T06:00:00-06:00', true],
    ['a moment before', 360, 1380, '2026-11-22T05:59:59.999-06:00', false],
    ['last moment', 360, 1380, '2026-11-22T22:59:59.999-06:00', true],
    ['closing time', 360, 1380, '2026-11-22T23:00:00-06:00', false],
    ['past midnight, late', 600, 120, '2026-11-22T01:59:00-06:00', true],
    ['past midnight, closed', 600, 120, '2026-11-22T02:00:00-06:00', false],
    ['past midnight, evening', 600, 120, '2026-11-22T23:59:00-06:00', true],
    ['all day', 0, 0, '2026-11-22T04:00:00-06:00', true],
    ['summer time: 07:00 there is 12:00 UTC', 420, 1380, '2026-07-01T12:00:00Z', true],
    ['winter time: 12:00 UTC is 06:00 there', 420, 1380, '2026-12-01T12:00:00Z', false],
    ['spring forward: 03:00 follows 01:59', 180, 1380, '2026-03-08T08:00:00Z', true],
    ['before it', 180, 1380, '2026-03-08T07:59:59Z', false],
  ])('%s', (_, opens, closes, time, expected) => {
    expect(isOpen({ timezone: 'America/Chicago', opens, closes }, at(time))).toBe(expected);
  });

  test('knows the local time of every zone at every moment, as the platform does', () => {
    const zones = ['UTC', 'America/Chicago', 'Asia/Kolkata', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Apia'];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(2015, 0), max: Date.UTC(2035, 0) }),
        (timezone, atMs) => {
          const text = new Date(atMs).toLocaleTimeString('en-GB', {
            timeZone: timezone,
            hour: '2-digit',
            minute: '2-digit',
          });
          const [hours, minutes] = text.split(':').map(Number);
          expect(localMinute(timezone, atMs)).toBe((hours ?? 0) * 60 + (minutes ?? 0));
        },
      ),
      { numRuns: 500 },
    );
  });
});
