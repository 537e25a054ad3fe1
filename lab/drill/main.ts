// Runs a failover and a failback between two regions and judges both. Started by `make drill`.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type AuditCounts, findings, isClean } from '../../audit/index.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { describeFailure } from '../../contracts/failure.ts';
import { programOptions, refuseOption } from '../../contracts/program-options.ts';
import { until } from '../../stack/system/index.ts';
import { connectDatabase, type DatabaseServer, openTicketCounts, serverAt, withDatabase } from '../../store/index.ts';
import { parentGone, stopRequest } from '../../telemetry/role.ts';
import { withoutRepeats } from '../../telemetry/without-repeats.ts';
import { type Crew, startCrew } from '../crew.ts';
import { createRandom, randomSeed } from '../traffic/random.ts';
import type { Edges } from './edges.ts';
import { holdBack } from './hold-back.ts';
import { watchRegion } from './liveness.ts';
import { runOrdermesh } from './operator.ts';
import { type ParkedOrder, ParkedOrders } from './parked.ts';
import { assertPassive } from './passive.ts';
import { practise } from './practice.ts';
import type { DrillRegion } from './region.ts';
import { type DrillSystem, startDrillSystem } from './system.ts';
import { DrillTraffic, drillTraffic } from './traffic.ts';
import { auditRegion, isWorkedOff, missingIn } from './verdict.ts';

const RATE = 30;
const WARM_UP_ORDERS = 150;
const WARM_UP_MS_MAX = 60_000;
/** The primary is killed at a random moment (of the seed) within this time after the warm-up. */
const KILL_WITHIN_MS = 8_000;
/** Time until the operator starts the failover. */
const NOTICE_MS = 2_000;
const AFTERWARDS_MS = 6_000;
/** Records: a few seconds of the traffic, for the mirror says once a second how far it is. */
const BEHIND_MAX = 20 * RATE;
const SETTLE_MS_MAX = 60_000;
const FOLLOW_MS_MAX = 60_000;
const COOKING_MS = [100, 1_000] as const;
const RTO_MS_MAX = 60_000;
const startedAt = performance.now();

function say(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6);
  process.stdout.write(`${seconds} s  ${line}\n`);
}

interface DrillReport extends AuditCounts {
  seed: number;
  /** Orders promised by an edge agent, or by the gateway directly, that the surviving region did not have when everything was worked off. */
  rpoOrders: number;
  rpoOrdersDirect: number;
  /** From the start of the command to its end, which is after the probe orders. */
  rtoMs: number;
  failbackMs: number;
  /** Orders that were parked before the kill, or after it, and did not stay so in the other region, or were not released by a replay there. */
  parkedFaults: number;
  /** Direct orders that came back when the dead region did. */
  recoveredDirect: number;
  /** Partitions and roles that stood for too long in the region that had taken over. */
  stood: number;
}

async function main(seed: number, practice: boolean): Promise<boolean> {
  const config = loadConfig();
  const directory = path.resolve(config.ORDERMESH_DATA_DIR, 'drill');
  await mkdir(directory, { recursive: true });
  say(`drill with seed ${seed}; logs are in ${path.join(directory, 'logs')}`);
  const system = await startDrillSystem({ config, directory, say: withoutRepeats(say) });
  try {
    await lookUpAsAgentsDo(system);
    if (practice) {
      await practise(system, directory, say, stopping.signal);
      return true;
    }
    const report = await run(system, directory, seed);
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return isGood(report);
  } finally {
    await system.close();
  }
}

function isGood({ lost, duplicateEffects, outOfOrder, rpoOrders, parkedFaults, rtoMs, stood }: DrillReport): boolean {
  return lost + duplicateEffects + outOfOrder + rpoOrders + parkedFaults + stood === 0 && rtoMs <= RTO_MS_MAX;
}

async function run(system: DrillSystem, directory: string, seed: number): Promise<DrillReport> {
  const { east, west, edges, publicUrl } = system;
  const random = createRandom(seed);
  await assertPassive(west, east.name, say);
  const traffic = new DrillTraffic({ seed, rate: RATE, config: east.config, edges, publicUrl });
  const watched = { directory: path.join(directory, 'logs'), accepted: () => traffic.accepted, say };
  const live = (region: DrillRegion, work: () => Promise<void>) => watchRegion(region, watched, work);
  let crew = cook(east, seed);
  try {
    traffic.start();
    const warm = await until(WARM_UP_MS_MAX, async () => traffic.accepted >= WARM_UP_ORDERS);
    if (!warm) throw new Error(`only ${traffic.accepted} orders were accepted within ${WARM_UP_MS_MAX / 1_000} s`);
    await follows(system, west, east);
    const parked = new ParkedOrders(seed, say);
    const [inEast, fromStart] = [await parked.park(east, 1), await parked.park(east, 1)];
    await until(FOLLOW_MS_MAX, () => haveArrived(west, [...inEast, ...fromStart]));
    await delay(random.next() * KILL_WITHIN_MS);
    const held = await holdBack(west, random);
    try {
      await delay(held.ms);
      say(
        `kill -9 of everything in the east, ${traffic.accepted} orders accepted so far; held back: ${held.what} (${held.ms} ms)`,
      );
      crew.close();
      await east.kill();
    } finally {
      held.release();
    }
    await delay(NOTICE_MS);

    const failover = await operate(system, directory, seed, ['failover', '--old-region-is-dead']);
    crew = cook(west, seed + 1);
    await parked.expectParked(west, [...inEast, ...fromStart]);
    await parked.follow(west, [...inEast, ...fromStart]);
    await parked.replay(west, inEast);
    const inWest = await parked.park(west, 1);
    let stood = await live(west, async () => {
      await delay(AFTERWARDS_MS);
      await traffic.rest();
      await workedOff(west, edges);
    });
    const [lostEdge, lostDirect] = await Promise.all([
      missingIn(west.config, traffic.promised.edge),
      missingIn(west.config, traffic.promised.direct),
    ]);
    say(
      `of ${traffic.accepted} promised orders the west lacks ${lostEdge.length} of the agents' and ${lostDirect.length} direct ones`,
    );

    say('the east comes back, with the log it had');
    await Promise.all([east.startKafka(), east.followDatabaseOf(west)]);
    await east.startRoles();
    await assertPassive(east, west.name, say);
    traffic.start();
    await follows(system, east, west);
    const failback = await operate(system, directory, seed, ['failback']);
    crew.close();
    crew = cook(east, seed + 2);
    await parked.expectParked(east, [...fromStart, ...inWest]);
    await parked.follow(east, [...fromStart, ...inWest]);
    await parked.replay(east, [...fromStart, ...inWest]);
    stood += await live(east, async () => {
      await delay(AFTERWARDS_MS);
      await traffic.rest();
      await workedOff(east, edges);
    });
    const promised = [...traffic.promised.edge, ...traffic.promised.direct];
    const verdict = await auditRegion(east.config, promised, say);
    findings(verdict).forEach(say);
    if (!isClean(verdict))
      await writeFile(path.join(directory, 'faults.json'), JSON.stringify(verdict.faults, null, 2));
    const missing = new Set(await missingIn(east.config, traffic.promised.direct));
    return {
      ...verdict.counts,
      seed,
      rpoOrders: lostEdge.length,
      rpoOrdersDirect: lostDirect.length,
      rtoMs: failover.ms,
      failbackMs: failback.ms,
      parkedFaults: parked.faults.length,
      recoveredDirect: lostDirect.filter((orderId) => !missing.has(orderId)).length,
      stood,
    };
  } finally {
    crew.close();
    traffic.close();
  }
}

/** Whether the standby and the log of a region have these orders: what is parked in the last moments is another test's. */
async function haveArrived({ config }: DrillRegion, orders: readonly ParkedOrder[]): Promise<boolean> {
  const ids = new Set(orders.map(({ orderId }) => orderId));
  const counts = await withStandby(serverAt(config.DATABASE_URL, config), orders);
  return counts && (await missingIn(config, ids)).length === 0;
}

/** A standby takes no migration, so it is only asked. */
async function withStandby(server: DatabaseServer, orders: readonly ParkedOrder[]): Promise<boolean> {
  const sql = connectDatabase({ server, connections: 1, application: 'drill' });
  try {
    const ids = orders.map(({ orderId }) => orderId);
    const [row] = await sql<{ letters: number }[]>`
      select count(*)::integer as letters from dead_letters where key = any(${ids}::text[])`;
    return row?.letters === orders.reduce((sum, { sent }) => sum + sent, 0);
  } finally {
    await sql.end();
  }
}

/** This process sends directly. */
async function lookUpAsAgentsDo({ dnsServer }: DrillSystem): Promise<void> {
  process.env.DRILL_DNS_SERVER = dnsServer;
  await import('./resolver.ts');
}

function cook(region: DrillRegion, seed: number): Crew {
  return startCrew({ display: region.display, cookingMs: COOKING_MS, refreshMs: 200, random: createRandom(seed) });
}

/** `ordermesh region …` as an operator types it, with probe orders of a real store that go all the way. */
async function operate({ east, regionsFile }: DrillSystem, directory: string, seed: number, command: string[]) {
  const { order } = drillTraffic(seed + 10).order(Date.now());
  // Without its guest: a dozen orders of one look like fraud.
  const { orderId: _, placedAt: __, customerId: ___, ...rest } = { ...order, payment: { method: 'cash' } };
  const probeFile = path.join(directory, 'probe-order.json');
  await writeFile(probeFile, JSON.stringify(rest));
  say(`$ ordermesh region ${command.join(' ')}`);
  const args = ['region', ...command, '--regions', regionsFile, '--probe-order', probeFile];
  // Tokens come from the development issuer of the drill's directory; nothing else of the environment matters.
  const result = await runOrdermesh(args, east.environment(), { onLine: (line) => say(`  ${line}`) });
  for (const line of result.stdout.trim().split('\n')) say(`  ${line}`);
  say(`it took ${(result.ms / 1_000).toFixed(1)} s`);
  return result;
}

async function follows(system: DrillSystem, passive: DrillRegion, active: DrillRegion): Promise<void> {
  const follows = await until(FOLLOW_MS_MAX, () => isFollowing(system, passive));
  if (!follows)
    throw new Error(`the ${passive.name} does not follow the ${active.name} after ${FOLLOW_MS_MAX / 1_000} s`);
  say(`the ${passive.name} follows the ${active.name}`);
}

async function isFollowing({ regionsFile }: DrillSystem, passive: DrillRegion): Promise<boolean> {
  const args = ['region', 'status', '--json', '--regions', regionsFile];
  const { stdout } = await runOrdermesh(args, passive.environment(), { accept: [0, 1] });
  const { regions, mirror } = JSON.parse(stdout) as {
    regions: { name: string; database: string }[];
    mirror: { lag: number; state: string }[];
  };
  const standby = regions.find(({ name }) => name === passive.name)?.database === 'standby';
  const behind = mirror.reduce((sum, { lag }) => sum + lag, 0);
  return standby && mirror.length > 0 && behind < BEHIND_MAX && mirror.every(({ state }) => state === 'replicating');
}

/** Waits for a limited time until a region has nothing in flight; the audit judges what is left. */
async function workedOff({ config, name }: DrillRegion, edges: Edges): Promise<void> {
  const openTickets = () =>
    withDatabase(config, async (sql) => (await openTicketCounts(sql)).reduce((sum, { open }) => sum + open, 0));
  const handedOver = await until(SETTLE_MS_MAX, () => edges.areSettledIn(name));
  say(handedOver ? `the agents have handed over everything to the ${name}` : 'the agents still hold orders');
  const settled = await until(SETTLE_MS_MAX, async () => (await isWorkedOff(config)) && (await openTickets()) === 0);
  say(settled ? `nothing is in flight in the ${name}` : `not everything is worked off in the ${name}`);
}

function seedOf(text: string | undefined): number {
  if (text === undefined || text === '') return randomSeed();
  const seed = Number(text);
  if (/^\d+$/.test(text) && seed < 2 ** 31) return seed;
  refuseOption('drill', `the seed is ${JSON.stringify(text)}; it takes a whole number below ${2 ** 31}`);
}

const { values } = programOptions('drill', {
  options: {
    seed: { type: 'string' },
    practice: { type: 'boolean', default: false },
    'stop-with-parent': { type: 'boolean', default: false },
  },
});
const stopping = new AbortController();
Promise.race([stopRequest(), ...(values['stop-with-parent'] ? [parentGone()] : [])]).then(() =>
  values.practice ? stopping.abort() : process.exit(130),
);
try {
  process.exit((await main(seedOf(values.seed), values.practice)) ? 0 : 1);
} catch (error) {
  process.stderr.write(`drill: ${describeFailure(error, true)}\n`);
  process.exit(1);
}
