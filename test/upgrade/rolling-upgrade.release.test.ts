import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { findings, judge, readEvidence } from '../../audit/index.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { startCrew } from '../../lab/crew.ts';
import { Progress } from '../../lab/fleet/progress.ts';
import { chainMenu } from '../../lab/traffic/chain.ts';
import { createTraffic } from '../../lab/traffic/generator.ts';
import { runOpenLoop } from '../../lab/traffic/open-loop.ts';
import { createRandom } from '../../lab/traffic/random.ts';
import { createSender, type Sender } from '../../lab/traffic/sender.ts';
import { startCore } from '../../stack/stack.ts';
import { until } from '../../stack/system/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { temporaryDirectory } from '../stack/support.ts';
import { freePorts } from '../system/free-ports.ts';
import { Mesh, portsNeeded, upgradeOrder } from './mesh.ts';
import { previousRelease, type Release, thisRelease } from './previous-release.ts';

const TIMEOUT_MS = 1_800_000;
/** Enough to meet every restart, also where other tests run beside this one. `UPGRADE_TEST_RATE=500` before a release. */
const ORDERS_PER_SECOND = Number(process.env.UPGRADE_TEST_RATE ?? 100);
const GIVE_UP_MS = 300_000;
const WARM_UP_ORDERS = 500;
const DRAIN_MS_MAX = 240_000;
const COOKING_MS = [100, 1_000] as const;

test('every role goes from the previous release to this one and back under load', {
  timeout: TIMEOUT_MS,
}, async () => {
  await using directory = await temporaryDirectory();
  const at = async (name: string) => {
    const own = path.join(directory.path, name);
    await mkdir(own);
    return own;
  };
  const [before, now] = [await previousRelease(await at('previous')), await thisRelease()];
  const dataDir = await at('data');
  const stack = await startCore(loadConfig({ ORDERMESH_DATA_DIR: dataDir }), createLogger('stack', 'error'));
  const servers = {
    KAFKA_BROKERS: stack.environment.KAFKA_BROKERS ?? '',
    DATABASE_URL: stack.environment.DATABASE_URL ?? '',
  };
  const [edgeStore = ''] = chainMenu()
    .stores.filter(({ opens, closes }) => opens === closes)
    .map(({ storeId }) => storeId);
  const notes: string[] = [];
  const firstPort = await freePorts(portsNeeded);
  const mesh = new Mesh({ directory: dataDir, servers, firstPort, edgeStore, onNote: (line) => notes.push(line) });
  const promised = new Set<string>();
  const stop = new AbortController();
  const progress = new Progress(mesh.config, (line) => notes.push(line));
  const senders: Sender[] = [];
  try {
    await mesh.prepare(before);
    await mesh.start(before);
    const { gateways, edge, display } = mesh.doors;
    const crew = startCrew({ display, cookingMs: COOKING_MS, refreshMs: 200, random: createRandom(1) });
    const senderTo = (gateway: URL | URL[]) => {
      const sender = createSender({
        gateway,
        token: storeTokens(mesh.config),
        connections: 16,
        giveUpAfterMs: GIVE_UP_MS,
        onResult: ({ status, orderId }) => {
          if (status === 202 && orderId !== undefined) promised.add(orderId);
        },
      });
      senders.push(sender);
      return sender;
    };
    const direct = senderTo(gateways);
    const agent = senderTo(edge);
    const sender = {
      ...direct,
      submit: (...args: Parameters<Sender['submit']>) =>
        (args[0].storeId === edgeStore ? agent : direct).submit(...args),
    };
    const traffic = createTraffic({ seed: 6, realistic: true });
    const load = runOpenLoop({ traffic, sender, ratePerSecond: ORDERS_PER_SECOND, signal: stop.signal });
    // It is awaited below, which throws a failure.
    load.catch(() => {});
    await flow(WARM_UP_ORDERS);
    expect(await mesh.programs()).toEqual(new Set([before.program]));

    // The new tables first: the previous release works on with them.
    await mesh.command(now.program, 'migrate');
    await roll(upgradeOrder, now);
    expect(await mesh.programs()).toEqual(new Set([now.program]));
    await flow(WARM_UP_ORDERS);
    await roll(upgradeOrder.toReversed(), before);
    expect(await mesh.programs()).toEqual(new Set([before.program]));
    await flow(WARM_UP_ORDERS);

    stop.abort();
    await load;
    await Promise.all(senders.map((each) => each.settle()));
    expect(await until(DRAIN_MS_MAX, async () => (await mesh.unsent()) === 0)).toBe(true);
    expect(await progress.isDone(DRAIN_MS_MAX)).toBeUndefined();
    crew.close();
    const verdict = judge(await readEvidence(mesh.config, { promised, onNote: (line) => notes.push(line) }));
    expect(verdict.counts, [...findings(verdict), ...notes].join('\n')).toMatchObject({
      accepted: promised.size,
      parked: 0,
      inFlight: 0,
      lost: 0,
      duplicateEffects: 0,
      outOfOrder: 0,
    });
  } finally {
    stop.abort();
    for (const sender of senders) sender.close();
    await progress.close();
    await mesh.stop();
    await stack.close();
  }

  async function roll(order: readonly string[], release: Release): Promise<void> {
    for (const name of order) {
      await mesh.replace(name, release);
      await flow(ORDERS_PER_SECOND);
    }
  }

  /** Waits until this many more orders were accepted: each replacement meets load before the next one. */
  async function flow(orders: number): Promise<void> {
    const enough = promised.size + orders;
    expect(await until(TIMEOUT_MS, async () => promised.size >= enough)).toBe(true);
  }
});
