import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunningRole } from '../../contracts/roles.ts';
import { topics } from '../../contracts/topics.ts';
import { createProducer } from '../../kafka/index.ts';
import { inActiveRegion } from '../../region/active-role.ts';
import { type LaunchMirrorMaker, startMirror } from '../../region/mirror-role.ts';
import { writeRegionState } from '../../region/region-state.ts';
import { Standstill } from '../../region/standstill.ts';
import { startMirrorMaker } from '../../stack/kafka/mirror-maker.ts';
import { choosePorts } from '../../stack/ports.ts';
import { startTwoClusters, type TwoClusters } from './clusters.ts';

const patiently = { timeout: 60_000, interval: 200 };
let clusters: TwoClusters;
let lines: string[];
let now: number;
beforeAll(async () => {
  clusters = await startTwoClusters();
  const state = { epoch: 1, active: 'east', source: 'east', tenure: 1, since: new Date().toISOString() };
  await writeRegionState(clusters.kafka.east, state);
});
afterAll(async () => clusters?.[Symbol.asyncDispose]());
afterEach(() => void vi.unstubAllEnvs());
beforeEach(() => {
  lines = [];
  now = Date.now();
});

const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });

const mirrorWith = (launch: LaunchMirrorMaker) =>
  startMirror(clusters.config('west'), logger, launch, new Standstill({ now: () => now }));

async function ready(role: RunningRole): Promise<string> {
  const response = await fetch(`${role.addresses.admin}/readyz`);
  return `${response.status} ${await response.text()}`;
}

async function standing(role: RunningRole): Promise<string | undefined> {
  const text = await (await fetch(`${role.addresses.admin}/metrics`)).text();
  return /^ordermesh_mirror_standing\{.*\} (\d+)/m.exec(text)?.[1];
}

describe('a mirror that says nothing', () => {
  test('is found standing when it lives and copies nothing, and is started again', async () => {
    const launched: string[] = [];
    const stopped: string[] = [];
    const role = await mirrorWith(async () => {
      const name = `maker ${launched.length + 1}`;
      launched.push(name);
      return { stop: async () => void stopped.push(name) };
    });
    try {
      await vi.waitFor(async () => expect(await ready(role)).toMatch(/^200/), patiently);
      const producer = await createProducer({ clientId: 'test', cluster: clusters.kafka.east, deadlineMs: 10_000 });
      await producer.send([{ topic: topics.rawOrders, key: 'a', value: 'b' }]);
      await producer.close();
      // The first look without a record that waits sets its clock.
      await vi.waitFor(() => {
        now += 61_000;
        expect(stopped).toEqual(['maker 1']);
      }, patiently);
      await vi.waitFor(() => expect(launched).toContain('maker 2'), patiently);
      expect(await ready(role)).toMatch(/^503.*found standing at .* copied nothing since; 1 records wait/s);
      expect(await standing(role)).toBe('1');
      expect(lines.filter((line) => line.includes('MirrorMaker has copied nothing since'))).toHaveLength(1);
    } finally {
      await role.close();
    }
  }, 150_000);

  test('is not ready while it ends at once, and says so once', async () => {
    let launches = 0;
    const role = await mirrorWith(async (_properties, onExit) => {
      launches++;
      setTimeout(onExit, 10, 'it ended with status 1');
      return { stop: async () => {} };
    });
    try {
      await vi.waitFor(() => expect(launches).toBeGreaterThan(2), patiently);
      await vi.waitFor(async () => expect(await ready(role)).toMatch(/^503.*it ended with status 1/s), patiently);
      expect(lines.filter((line) => line.includes('MirrorMaker ended'))).toHaveLength(1);
      expect(lines.filter((line) => line.includes('copying the other region'))).toHaveLength(1);
    } finally {
      await role.close();
    }
  }, 150_000);

  test('leaves no guard behind when it cannot be started, and says why once', async () => {
    vi.stubEnv('JAVA_HOME', '/nowhere');
    let attempts = 0;
    const config = clusters.config('west');
    const directory = path.join(config.ORDERMESH_DATA_DIR, 'mirror');
    const role = await mirrorWith((properties, onExit) => {
      attempts++;
      return startMirrorMaker({ config, directory, properties, onExit });
    });
    try {
      await vi.waitFor(() => expect(attempts).toBeGreaterThan(2), patiently);
      await vi.waitFor(
        async () => expect(await ready(role)).toMatch(/^503.*MirrorMaker does not run: .*java/s),
        patiently,
      );
      expect(lines.filter((line) => line.includes('cannot change over yet'))).toHaveLength(1);
    } finally {
      await role.close();
    }
    // The clusters have one of their own.
    await vi.waitFor(async () => expect(await guards()).toHaveLength(1), patiently);
  }, 150_000);
});

test('a role that cannot start says why on /readyz, and once in the log', async () => {
  let attempts = 0;
  const { admin = 0 } = await choosePorts(['admin'], {});
  const config = clusters.config('east', { ORDERMESH_ADMIN_PORT: String(admin) });
  const role = await inActiveRegion('kitchen', async () => {
    attempts++;
    throw new Error('the database takes no writes');
  })(config, logger);
  try {
    await vi.waitFor(() => expect(attempts).toBeGreaterThan(2), patiently);
    await vi.waitFor(
      async () => expect(await ready(role)).toContain('failed: the database takes no writes'),
      patiently,
    );
    expect(lines.filter((line) => line.includes('cannot start yet'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('starting'))).toHaveLength(1);
  } finally {
    await role.close();
  }
}, 150_000);

/** Process ids of the guards that this process has started and that still run. */
async function guards(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const [command, stat] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]).catch(() => ['', '']);
    const parent = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
    if (command?.includes('guard.sh') && parent === String(process.pid)) found.push(pid);
  }
  return found;
}
