import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { regionStateTopic } from '../../contracts/topics.ts';
import { createAdmin } from '../../kafka/index.ts';
import { changeOver } from '../../region/operations/change-over.ts';
import { type RegionState, readRegion, writeRegionState } from '../../region/region-state.ts';
import { readRegions } from '../../region/regions.ts';
import { ordermesh } from '../support/ordermesh.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';
import { swallowingProxy } from '../support/swallowing-proxy.ts';
import { startTwoClusters, type TwoClusters } from './clusters.ts';
import { startProbedGateway } from './gateway.ts';

const nowhere = '127.0.0.1:1';
let clusters: TwoClusters;
let database: TestDatabase;
let gateway: Awaited<ReturnType<typeof startProbedGateway>>;
let file: string;
/** What the DNS command was called with. */
let flipped: string;
/** The DNS command fails while it exists. */
let broken: string;
beforeAll(async () => {
  clusters = await startTwoClusters();
  [database, gateway] = await Promise.all([createTestDatabase(), startProbedGateway('west')]);
  [file, flipped, broken] = ['regions.json', 'flipped', 'broken'].map((name) =>
    path.join(clusters.directory, name),
  ) as [string, string, string];
  const flip = path.join(clusters.directory, 'flip.sh');
  await writeFile(
    flip,
    `#!/bin/sh\ntest ! -e ${broken} || { echo the zone is locked >&2; exit 1; }\necho "$@" >> ${flipped}\n`,
  );
  await chmod(flip, 0o755);
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
  await clusters?.[Symbol.asyncDispose]();
});

let epoch = 0;
const state = (changes: Partial<RegionState>): RegionState => ({
  epoch,
  tenure: 1,
  since: new Date().toISOString(),
  ...changes,
});

beforeEach(async () => {
  epoch += 100;
  await writeRegionState(clusters.kafka.west, state({ active: 'east', source: 'east' }));
  await rm(flipped, { force: true });
});

async function writeRegions({ east = nowhere, databaseUrl = database.urlAs('operator') } = {}): Promise<void> {
  const regions = {
    east: {
      brokers: [east],
      kafka: clusters.kafkaOf('east'),
      databaseUrl: `postgres://${nowhere}/none`,
      address: '127.0.0.1',
    },
    west: {
      brokers: [...clusters.kafka.west.brokers],
      kafka: clusters.kafkaOf('west'),
      databaseUrl,
      address: '127.0.0.1',
    },
  };
  const dns = { command: [path.join(clusters.directory, 'flip.sh')] };
  await writeFile(file, JSON.stringify({ regions, publicUrl: `http://localhost:${gateway.port}`, ttlSeconds: 5, dns }));
}

const region = (...args: string[]) => ordermesh(['region', ...args, '--regions', file], { ORDERMESH_AUTH: 'off' });
const dead = ['failover', '--old-region-is-dead', '--database-as-it-is', '--probe-wait', '10'];
const known = async (of: 'east' | 'west') => (await readRegion(clusters.kafka[of])).records.state;

describe('a failover', () => {
  test('is finished by the same command when only the name could not be changed', async () => {
    await writeRegions();
    await writeFile(broken, '');
    const first = await region(...dead);
    expect(first.stderr).toContain('the zone is locked; west is active');
    expect(first.code).toBe(1);
    expect(await known('west')).toMatchObject({ active: 'west', unfinished: true });
    await rm(broken);

    const second = await region(...dead);
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('2 probe orders (2 rejected)') });
    expect(await readFile(flipped, 'utf8')).toBe('localhost 127.0.0.1 5\n');
    const now = await known('west');
    expect(now).toMatchObject({ active: 'west', source: 'west' });
    expect(now?.unfinished).toBeUndefined();

    const third = await region(...dead, '--to', 'west');
    expect(third).toMatchObject({ code: 0, stdout: expect.stringContaining('west is active already') });
    const json = await region(...dead, '--to', 'west', '--json');
    expect(JSON.parse(json.stdout)).toEqual({ to: 'west', epoch: now?.epoch });
    expect((await known('west'))?.epoch).toBe(now?.epoch);
  }, 180_000);

  test('gives up on a PostgreSQL that stops in the middle, and says which', async () => {
    await using proxy = await swallowingProxy(database.urlAs('operator'), 'pg_is_in_recovery');
    await writeRegions({ databaseUrl: proxy.url });
    const { code, stderr } = await region(...dead);
    expect(stderr).toContain('PostgreSQL of west does not answer within 10 s');
    expect(code).toBe(1);
  }, 120_000);

  test('says why it was taken back, also when the old region cannot be told any more', async () => {
    await writeRegions();
    const regions = await readRegions(file);
    const [from, to] = [regions.byName.get('east'), regions.byName.get('west')];
    if (from === undefined || to === undefined) throw new Error('the file has both');
    const moving = changeOver({
      regions,
      from,
      to,
      state: state({ active: 'east', source: 'east' }),
      alive: true,
      waitMs: 1_000,
      acceptLoss: false,
      databaseAsItIs: true,
      scanMs: 60_000,
      probeOrder: {},
      token: undefined,
      probeMs: 1_000,
      say: () => {},
    });
    await expect(moving).rejects.toThrow(
      /^no broker of 127.0.0.1:1 .*; east is active again, but east could not be told \(/,
    );
    expect(await known('west')).toMatchObject({ active: 'east', epoch: epoch + 2 });
  }, 120_000);
});

describe('region init', () => {
  test('tells a cluster that a first attempt did not reach', async () => {
    await writeRegions({ east: clusters.kafka.east.brokers[0] ?? '' });
    expect(await known('east')).toBeUndefined();
    expect(await region('init', '--active', 'east')).toMatchObject({
      code: 0,
      stdout: `epoch ${epoch} is in force: east is active\nthe cluster of east did not know it; it does now\n`,
    });
    expect(await known('east')).toEqual(await known('west'));
  }, 120_000);
});

describe('region status', () => {
  test('says of a cluster that answers what it lacks', async () => {
    await writeRegions({ east: clusters.kafka.east.brokers[0] ?? '' });
    const admin = await createAdmin({ clientId: 'test', cluster: clusters.kafka.east });
    await admin.deleteTopics([regionStateTopic]);
    await vi.waitFor(async () => expect(await admin.listTopics()).not.toContain(regionStateTopic), { timeout: 30_000 });
    await admin.close();
    const { code, stdout } = await region('status', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout).regions[0]).toMatchObject({
      log: 'has no state',
      logProblem: 'topic region-state does not exist: run `ordermesh region init`',
    });
  }, 120_000);
});
