import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunningRole } from '../../contracts/roles.ts';
import { topics } from '../../contracts/topics.ts';
import { createRegionAdmin } from '../../kafka/admin/region-admin.ts';
import { createAdmin, createProducer, type ReadRecord, readTopic } from '../../kafka/index.ts';
import { watchActivity } from '../../region/activity.ts';
import { endsOf, topicRanges } from '../../region/divergence.ts';
import { readMirrored } from '../../region/mirror-offsets.ts';
import { startMirror } from '../../region/mirror-role.ts';
import { type RegionState, readRegion, writeRegionState } from '../../region/region-state.ts';
import { userOf } from '../../stack/kafka/broker-security.ts';
import { startMirrorMaker } from '../../stack/kafka/mirror-maker.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { startToggledProxy } from '../support/toggled-proxy.ts';
import { type Name, startTwoClusters, type TwoClusters } from './clusters.ts';

const logger = createLogger('test', process.env.TEST_LOG ?? 'silent');
const topic = topics.rawOrders;
const patiently = { timeout: 60_000, interval: 200 };

let clusters: TwoClusters;
beforeAll(async () => {
  clusters = await startTwoClusters();
});
afterAll(async () => clusters?.[Symbol.asyncDispose]());

const state = (changes: Partial<RegionState> & { epoch: number }): RegionState => ({
  tenure: 1,
  since: new Date().toISOString(),
  ...changes,
});

async function write(region: Name, ...keys: string[]): Promise<void> {
  const producer = await createProducer({ clientId: 'test', cluster: clusters.kafka[region], deadlineMs: 10_000 });
  await producer.send(keys.map((key) => ({ topic, key, value: `of ${key}`, headers: { ce_id: key } })));
  await producer.close();
}

async function read(region: Name, of = topic): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  await readTopic({ cluster: clusters.kafka[region], topic: of }, (record) => void records.push(record));
  return records;
}

/** Each once: the mirror delivers at least once. */
const keysIn = async (region: Name) => [...new Set((await read(region)).map(({ key }) => String(key)))].sort();

/** With the rights of the mirror and no more, where the clusters are secured. */
async function mirrorOf(region: Name): Promise<RunningRole> {
  const config = clusters.config(region, clusters.environment(region, userOf('mirror')));
  const directory = path.join(config.ORDERMESH_DATA_DIR, 'mirror');
  await mkdir(directory, { recursive: true });
  return startMirror(config, logger, (properties, onExit) =>
    startMirrorMaker({ config, directory, properties, onExit }),
  );
}

async function metric(role: RunningRole, pattern: RegExp): Promise<number> {
  const text = await (await fetch(`${role.addresses.admin}/metrics`)).text();
  return Number(pattern.exec(text)?.[1] ?? Number.NaN);
}

describe('who is active', () => {
  test('is what the newer of the two clusters says, and a region that was away learns it when it asks', async () => {
    const { kafka } = clusters;
    await using proxy = await disposable(startToggledProxy(kafka.west.brokers[0] ?? ''));
    proxy.interrupt();
    await writeRegionState(kafka.east, state({ epoch: 1, active: 'east', source: 'east' }));
    const activity = watchActivity(clusters.config('east', { ORDERMESH_PEER_BROKERS: proxy.address }), logger);
    if (activity === undefined) throw new Error('there is a peer');
    try {
      expect(activity.passive()).toMatch('not known yet');
      // The other region does not answer, so this one decides alone after some seconds.
      await vi.waitFor(() => expect(activity.passive()).toBeUndefined(), patiently);
      expect(activity.alone).toBe(true);
      await writeRegionState(kafka.west, state({ epoch: 3, active: 'west', source: 'west', tenure: 3 }));
      proxy.resume();
      await vi.waitFor(() => expect(activity.passive()).toBe('region west is the active one (epoch 3)'), patiently);
      expect(activity.alone).toBe(false);
      await writeRegionState(kafka.east, state({ epoch: 2, active: 'east' }));
      await writeRegionState(kafka.west, state({ epoch: 4, next: 'east' }));
      await vi.waitFor(() => expect(activity.passive()).toBe('no region is active just now (epoch 4)'), patiently);
      await writeRegionState(kafka.west, state({ epoch: 5, active: 'east', source: 'east', tenure: 1 }));
      await vi.waitFor(() => expect(activity.passive()).toBeUndefined(), patiently);
    } finally {
      await activity.close();
    }
  });
});

describe('the mirror', () => {
  test('copies the active region, stops at a promotion, and on the way back begins where the other one was promoted', async () => {
    const { kafka } = clusters;
    await writeRegionState(kafka.east, state({ epoch: 10, active: 'east', source: 'east' }));
    await using west = await disposable(mirrorOf('west'));
    await write('east', 'a', 'b');
    await vi.waitFor(async () => expect(await keysIn('west')).toEqual(['a', 'b']), patiently);
    for (const { key, value, headers } of await read('west'))
      expect(`${value} ${headers.ce_id}`).toBe(`of ${key} ${key}`);
    await vi.waitFor(async () => {
      const mirrored = await readMirrored(kafka.west, 'east');
      expect([...(mirrored.get(topic)?.values() ?? [])].reduce((sum, next) => sum + next, 0)).toBe(2);
    }, patiently);

    await writeRegionState(kafka.west, state({ epoch: 11, next: 'west' }));
    await vi.waitFor(
      async () => expect((await readRegion(kafka.west)).records.mirrorStopped?.epoch).toBe(11),
      patiently,
    );
    // An order that the east took before it learned of that, and the west will not get by mirror any more.
    await write('east', 'alone');
    const starts = endsOf(await topicRanges(kafka.west));
    await writeRegionState(kafka.west, state({ epoch: 12, active: 'west', source: 'west', tenure: 12, starts }));
    await write('west', 'c');

    await using east = await disposable(mirrorOf('east'));
    // The order was sent to the west and copied back. Records from before are not copied again.
    await vi.waitFor(async () => expect(await keysIn('west')).toEqual(['a', 'alone', 'b', 'c']), patiently);
    await vi.waitFor(async () => expect(await keysIn('east')).toEqual(['a', 'alone', 'b', 'c']), patiently);
    expect((await read('east')).filter(({ key }) => ['a', 'b'].includes(String(key)))).toHaveLength(2);
    const { orphans } = (await readRegion(kafka.east)).records;
    expect(orphans.flatMap(({ ranges }) => ranges).map(({ from, to }) => to - from)).toEqual([1]);
    expect(await metric(east, /^ordermesh_mirror_running\{.*\} (\d+)/m)).toBe(1);
    expect(await metric(west, /^ordermesh_mirror_running\{.*\} (\d+)/m)).toBe(0);
    const log = path.join(clusters.config('east').ORDERMESH_DATA_DIR, 'mirror', 'logs', 'mirror-maker.log');
    expect(await readFile(log, 'utf8')).not.toMatch(/authoriz/i);
  }, 180_000);

  test('alarms when the source loses records before they are copied, and when a topic is another one', async () => {
    const { kafka } = clusters;
    const fault = (role: RunningRole, name: string) =>
      metric(role, new RegExp(`^ordermesh_mirror_source_faults\\{.*fault="${name}".*\\} (\\d+)`, 'm'));
    await writeRegionState(kafka.west, state({ epoch: 20, active: 'west', source: 'west', tenure: 12 }));
    {
      await using east = await disposable(mirrorOf('east'));
      await write('west', 'x', 'y', 'z');
      const mirrored = async () => [...((await readMirrored(kafka.east, 'west')).get(topic)?.keys() ?? [])];
      await vi.waitFor(async () => expect(await mirrored()).toContain(0), patiently);
      await vi.waitFor(async () => expect(await fault(east, 'skipped')).toBe(0), patiently);
    }
    // While nothing is copied, records come and go.
    await write('west', 'd', 'e', 'f', 'g', 'h', 'i');
    const admin = createRegionAdmin({ clientId: 'test', cluster: kafka.west });
    const ends = (await topicRanges(kafka.west)).filter((range) => range.topic === topic);
    await admin.deleteRecordsBefore(topic, new Map(ends.map(({ partition, latest }) => [partition, latest])));
    await admin.close();
    await using east = await disposable(mirrorOf('east'));
    await vi.waitFor(async () => expect(await fault(east, 'skipped')).toBeGreaterThan(0), patiently);

    const topicAdmin = await createAdmin({ clientId: 'test', cluster: kafka.west });
    await topicAdmin.deleteTopics([topics.rejectedOrders]);
    await vi.waitFor(async () => expect(await topicAdmin.listTopics()).not.toContain(topics.rejectedOrders), patiently);
    // A name that was just deleted may be refused for a moment.
    const again = { topic: topics.rejectedOrders, partitions: 2, replicationFactor: 1 };
    await vi.waitFor(() => topicAdmin.createTopics([again]), patiently);
    await topicAdmin.close();
    await vi.waitFor(async () => expect(await fault(east, 'recreated')).toBe(2), patiently);
  }, 180_000);
});

async function disposable<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T & AsyncDisposable> {
  const started = await starting;
  return Object.assign(started, { [Symbol.asyncDispose]: () => started.close() });
}
