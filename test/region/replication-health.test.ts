import { describe, expect, test } from 'vitest';
import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { mirrorProperties } from '../../region/mirror-config.ts';
import { replicationHealth } from '../../region/replication-health.ts';

const range = (latest: number, earliest = 0) => ({ topic: 'raw-orders', partition: 0, earliest, latest });
const copied = (next: number) => new Map([['raw-orders', new Map([[0, next]])]]);

describe('replication health', () => {
  test('counts what was not copied yet', () => {
    expect(replicationHealth({ source: [range(10)], mirrored: copied(7) })).toEqual([
      { topic: 'raw-orders', partition: 0, lag: 3, state: 'replicating' },
    ]);
  });

  test('counts everything before the first record is copied', () => {
    expect(replicationHealth({ source: [range(10, 4)], mirrored: new Map() })[0]).toMatchObject({
      lag: 6,
      state: 'replicating',
    });
  });

  test('alarms when the source ends before what was copied of it', () => {
    expect(replicationHealth({ source: [range(2)], mirrored: copied(7) })[0]?.state).toBe('truncated');
  });

  test('alarms when records were deleted before they were copied', () => {
    expect(replicationHealth({ source: [range(20, 9)], mirrored: copied(7) })[0]).toMatchObject({
      lag: 11,
      state: 'skipped',
    });
  });

  test('alarms when the topic is another one, however long its log is', () => {
    const topicIds = { begun: { 'raw-orders': 'first' }, now: new Map([['raw-orders', 'second']]) };
    expect(replicationHealth({ source: [range(20)], mirrored: copied(7), topicIds })[0]?.state).toBe('recreated');
  });

  test('tells a mirror that stands from one that has just not got to it', () => {
    const due = (before: number) => new Map([['raw-orders', new Map([[0, before]])]]);
    const evidence = { source: [range(10)], mirrored: copied(7) };
    expect(replicationHealth({ ...evidence, due: due(8) })[0]).toMatchObject({ lag: 3, state: 'standing' });
    expect(replicationHealth({ ...evidence, due: due(7) })[0]?.state).toBe('replicating');
    expect(replicationHealth({ source: [range(10)], mirrored: new Map(), due: due(10) })[0]?.state).toBe('standing');
  });
});

describe('mirror configuration', () => {
  const properties = mirrorProperties({
    from: { name: 'east', cluster: plainCluster(['a:1', 'b:1']) },
    to: { name: 'west', cluster: plainCluster(['c:1']) },
    replicationFactor: 3,
  });

  test('sets the identity policy on both connectors', () => {
    const policy = 'org.apache.kafka.connect.mirror.IdentityReplicationPolicy';
    expect(properties).toContain(`east->west.source.connector.replication.policy.class=${policy}\n`);
    expect(properties).toContain(`east->west.checkpoint.connector.replication.policy.class=${policy}\n`);
  });

  test('mirrors the dead-letter topics too, their dots taken literally', () => {
    expect(properties).toContain('raw-orders\\\\.order-validator\\\\.dlt');
  });

  test('never mirrors who is active', () => {
    expect(properties).not.toContain('region-state');
  });

  test('goes one way only', () => {
    expect(properties).toContain('east->west.enabled=true\n');
    expect(properties).toContain('west->east.enabled=false\n');
  });
});
