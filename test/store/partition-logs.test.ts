import { describe, expect, test } from 'vitest';
import { decideLog, type KnownLog, type SeenLog } from '../../store/partitions/partition-logs.ts';

const seen = (more: Partial<SeenLog> = {}): SeenLog => ({
  partition: 3,
  logId: 'a',
  clusterId: 'east',
  earliest: 0,
  latest: 100,
  committed: 50,
  ...more,
});
const known = (more: Partial<KnownLog> = {}): KnownLog => ({
  log: 0,
  logId: 'a',
  clusterId: 'east',
  position: 50,
  endOffset: 90,
  ended: false,
  seenAt: 1,
  ...more,
});
const without = ({ committed: _, ...rest }: SeenLog): SeenLog => rest;

describe('which log a partition is, and where work begins in it', () => {
  test('goes on at the committed position of the same log', () => {
    expect(decideLog(seen(), [known()])).toMatchObject({ log: 0, startAt: 50, change: undefined, skipped: undefined });
  });

  test('goes on at the remembered position when the group has lost its own', () => {
    expect(decideLog(without(seen()), [known()])).toMatchObject({ log: 0, startAt: 50 });
  });

  test('begins at the oldest record where nothing is known', () => {
    expect(decideLog(without(seen({ earliest: 7 })), [])).toMatchObject({ log: 0, startAt: 7, skipped: undefined });
  });

  test('tells what was removed before it was read, and not what was finished', () => {
    expect(decideLog(seen({ earliest: 60 }), [known()])).toMatchObject({
      startAt: 60,
      skipped: { partition: 3, log: 0, from: 50, to: 60, reason: 'removed' },
    });
    expect(decideLog(seen({ earliest: 50 }), [known()])).toMatchObject({ startAt: 50, skipped: undefined });
    // A group that is set back has already finished what it repeats.
    expect(decideLog(seen({ committed: 10, earliest: 40 }), [known()])).toMatchObject({
      startAt: 40,
      skipped: undefined,
    });
  });

  test('begins a topic that was created again at its oldest record, whatever is committed, and tells what was not finished', () => {
    expect(decideLog(seen({ logId: 'b', earliest: 5 }), [known()])).toMatchObject({
      log: 1,
      startAt: 5,
      change: 'recreated',
      skipped: { log: 0, from: 50, to: 90, reason: 'recreated' },
    });
  });

  test('begins a log that is shorter than before again, under a new number', () => {
    expect(decideLog(seen({ latest: 80 }), [known()])).toMatchObject({
      log: 1,
      startAt: 0,
      change: 'shortened',
      skipped: { log: 0, from: 80, to: 90, reason: 'shortened' },
      ends: 0,
    });
    // The log that began there is the current one.
    const logs = [known({ ended: true }), known({ log: 1, position: 20, endOffset: 80, seenAt: 2 })];
    expect(decideLog(seen({ latest: 80 }), logs)).toMatchObject({ log: 1, startAt: 50, change: undefined });
  });

  test("takes the failover's position in the other region's log, and knows its own again on the way back", () => {
    const away = decideLog(seen({ logId: 'w', clusterId: 'west', committed: 12, latest: 30 }), [known()]);
    expect(away).toMatchObject({ log: 1, startAt: 12, change: 'elsewhere', skipped: undefined });
    const logs = [known(), known({ log: 1, logId: 'w', clusterId: 'west', position: 30, endOffset: 30, seenAt: 2 })];
    expect(decideLog(seen({ committed: 70 }), logs)).toMatchObject({
      log: 0,
      startAt: 70,
      change: 'elsewhere',
      skipped: undefined,
    });
  });
});
