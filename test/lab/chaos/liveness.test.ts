import { beforeEach, describe, expect, test } from 'vitest';
import { ownerLines } from '../../../lab/chaos/liveness/evidence.ts';
import { LivenessOracle } from '../../../lab/chaos/liveness/oracle.ts';

const limits = { standMs: 30_000, readyMs: 30_000, silentMs: 20_000 };
let oracle: LivenessOracle;

beforeEach(() => {
  oracle = new LivenessOracle(limits);
});

const at = (committed: number, end: number, partition = 0) => ({
  group: 'kitchen',
  topic: 'validated-orders',
  partition,
  committed,
  end,
});
const names = (found: { group: string; partition: number }[]) =>
  found.map(({ group, partition }) => `${group} ${partition}`);
const stood = (now: number, ...all: ReturnType<typeof at>[]) => names(oracle.partitions(all, now).stood);
const silent = (now: number, ...all: ReturnType<typeof at>[]) => names(oracle.partitions(all, now).silent);
const ready = (now: number, ...reasons: (string | undefined)[]) =>
  oracle.readiness(
    new Map(reasons.map((reason, index) => [`kitchen-${index + 1}`, { group: 'kitchen', reason }])),
    now,
  );

describe('after everything is mended', () => {
  beforeEach(() => oracle.mended());

  test('a partition with work that stands is told once', () => {
    expect(stood(0, at(5, 9), at(5, 9, 1))).toEqual([]);
    expect(stood(29_999, at(5, 9), at(6, 9, 1))).toEqual([]);
    expect(stood(30_000, at(5, 12), at(6, 9, 1))).toEqual(['kitchen 0']);
    expect(stood(31_000, at(5, 12), at(6, 9, 1))).toEqual([]);
    // A partition that stands while others move is reported too, and one that stands again.
    expect(stood(60_000, at(6, 12), at(6, 9, 1))).toEqual(['kitchen 1']);
    expect(stood(90_000, at(6, 12), at(9, 9, 1))).toEqual(['kitchen 0']);
  });

  test('a partition without work may stand, and its time begins with its work', () => {
    expect(stood(0, at(9, 9))).toEqual([]);
    expect(stood(40_000, at(9, 10))).toEqual([]);
    expect(stood(69_000, at(9, 10))).toEqual([]);
    expect(stood(70_000, at(9, 10))).toEqual(['kitchen 0']);
  });

  test('time goes on while the brokers do not say where it is', () => {
    expect(stood(0, at(5, 9))).toEqual([]);
    expect(stood(50_000, at(5, 9))).toEqual(['kitchen 0']);
  });

  test('a role that is not ready for too long is told once', () => {
    expect(ready(0, 'joining', undefined)).toEqual([]);
    expect(ready(15_000, undefined, undefined)).toEqual([]);
    expect(ready(16_000, 'joining', undefined)).toEqual([]);
    expect(ready(46_000, 'another reason', undefined)).toEqual([
      { name: 'kitchen-1', reason: 'another reason', since: 16_000 },
    ]);
    expect(ready(47_000, 'another reason', undefined)).toEqual([]);
  });
});

describe('while faults are on', () => {
  test('a partition may stand while a role of its group says so', () => {
    ready(0, undefined, undefined);
    expect(silent(0, at(5, 9))).toEqual([]);
    ready(10_000, undefined, 'the database is down');
    expect(silent(30_000, at(5, 9))).toEqual([]);
    expect(stood(100_000, at(5, 9))).toEqual([]);
  });

  test('a partition that stands, and no process says so, is silent', () => {
    ready(0, undefined, undefined);
    expect(silent(5_000, at(5, 9))).toEqual([]);
    ready(24_000, undefined, undefined);
    expect(silent(24_000, at(5, 9))).toEqual([]);
    expect(silent(25_000, at(5, 9))).toEqual(['kitchen 0']);
    expect(silent(26_000, at(5, 9))).toEqual([]);
  });

  test('what stood is forgotten when everything is mended', () => {
    expect(stood(0, at(5, 9))).toEqual([]);
    oracle.mended();
    expect(stood(40_000, at(5, 9))).toEqual([]);
    expect(stood(70_000, at(5, 9))).toEqual(['kitchen 0']);
  });
});

test('puts the owner of a partition beside what the workers say of it', () => {
  const members = [
    {
      memberId: 'kitchen-1-abc',
      clientId: 'kitchen',
      assigned: [0, 2].map((partition) => ({ topic: 'x', partition })),
    },
    { memberId: 'kitchen-2-def', clientId: 'kitchen', assigned: [{ topic: 'x', partition: 1 }] },
  ];
  const pages = [
    { name: 'kitchen-1', text: JSON.stringify({ partitions: [] }) },
    {
      name: 'kitchen-2',
      text: JSON.stringify({
        partitions: [{ partition: 1, phase: 'running', frontier: 7, next: 9, paused: ['outage'] }],
      }),
    },
    { name: 'kitchen-3', text: 'fetch failed: connection refused' },
  ];
  expect(ownerLines(members, [0, 2, 1, 3], pages)).toEqual([
    'partition 0, 2: member kitchen-1-abc owns it; no process says that it works on it',
    'partition 1: member kitchen-2-def owns it; kitchen-2 says running, frontier 7, next 9, paused by outage',
    'partition 3: none of 2 members owns it; no process says that it works on it',
  ]);
  expect(ownerLines('no broker answers', [1], [])).toEqual([
    'partition 1: its owner is not known (no broker answers); no process says that it works on it',
  ]);
});
