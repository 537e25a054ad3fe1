import { describe, expect, it } from 'vitest';
import { mirrorProperties } from '../../region/mirror-config.ts';
import { replicationHealth } from '../../region/replication-health.ts';

const range = (latest: number, partition = 0) => ({ topic: 'raw-orders', partition, earliest: 0, latest });

describe('replication health', () => {
  it('counts what the target does not have yet', () => {
    expect(replicationHealth([range(10)], [range(7)])).toEqual([
      { topic: 'raw-orders', partition: 0, lag: 3, state: 'replicating' },
    ]);
  });

  it('alarms when the source ends before its mirror', () => {
    expect(replicationHealth([range(2)], [range(7)])[0]?.state).toBe('source-recreated');
  });

  it('names a partition that the target does not have', () => {
    expect(replicationHealth([range(5, 1)], [range(5, 0)])[0]).toMatchObject({
      partition: 1,
      lag: 5,
      state: 'missing-in-target',
    });
  });
});

describe('mirror configuration', () => {
  const properties = mirrorProperties({
    from: { name: 'east', brokers: ['a:1', 'b:1'] },
    to: { name: 'west', brokers: ['c:1'] },
    replicationFactor: 3,
  });

  it('sets the identity policy on both connectors', () => {
    const policy = 'org.apache.kafka.connect.mirror.IdentityReplicationPolicy';
    expect(properties).toContain(`east->west.source.connector.replication.policy.class=${policy}\n`);
    expect(properties).toContain(`east->west.checkpoint.connector.replication.policy.class=${policy}\n`);
  });

  it('mirrors the dead-letter topics too, their dots taken literally', () => {
    expect(properties).toContain('raw-orders\\\\.order-validator\\\\.dlt');
  });

  it('goes one way only', () => {
    expect(properties).toContain('east->west.enabled=true\n');
    expect(properties).toContain('west->east.enabled=false\n');
  });
});
