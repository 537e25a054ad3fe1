// Measures what an order costs in each process, and how well one measurement foretells other shapes: `node perf/capacity/main.ts`.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { type ConnectedConfig, loadConfig } from '../../contracts/config/config.ts';
import { programOptions, refuseOption } from '../../contracts/program-options.ts';
import { allTopics } from '../../contracts/topics.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { applyTopics, withAdmin } from '../../kafka/index.ts';
import { startCrew } from '../../lab/crew.ts';
import { Progress } from '../../lab/fleet/progress.ts';
import { chainMenuFile, createRandom, createSender, createTraffic, runOpenLoop } from '../../lab/traffic/index.ts';
import { startCore } from '../../stack/index.ts';
import { loadMenu, withDatabase } from '../../store/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { type Costs, errorOf, needsOf } from './model.ts';
import { processorTimes, serverPids } from './processor-time.ts';
import { type Shape, startRoles } from './roles.ts';

const { values } = programOptions('capacity', {
  options: { rate: { type: 'string', default: '1000' }, seconds: { type: 'string', default: '30' } },
});
const [rate, seconds] = (['rate', 'seconds'] as const).map((name) => {
  if (/^[1-9]\d*$/.test(values[name])) return Number(values[name]);
  return refuseOption('capacity', `--${name} is ${JSON.stringify(values[name])}; it takes a whole number from 1`);
}) as [number, number];

/** The first one is what the model is made of; the others are what it is held against. */
const shapes: readonly Shape[] = [
  { processes: 1, slots: 1 },
  { processes: 1, slots: 2 },
  { processes: 2, slots: 1 },
];
const RATES_ASKED = [20_000, 200_000];
const DRAIN_MS_MAX = 300_000;
const COOKING_MS = [100, 1_000] as const;

const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-capacity-'));
const stack = await startCore(loadConfig({ ORDERMESH_DATA_DIR: directory }), createLogger('capacity', 'error'));
try {
  const { KAFKA_BROKERS = '', DATABASE_URL = '' } = stack.environment;
  const servers = { KAFKA_BROKERS, DATABASE_URL };
  const config = loadConfig({ ...servers, ORDERMESH_DATA_DIR: directory }) as ConnectedConfig;
  await withAdmin(config, (admin) => applyTopics(admin, config));
  await withDatabase(config, async (sql) => loadMenu(sql, JSON.parse(await readFile(chainMenuFile, 'utf8'))));
  const measured: { shape: Shape; costs: Costs }[] = [];
  for (const [index, shape] of shapes.entries()) measured.push({ shape, costs: await measure(shape, servers, index) });
  report(measured, await bytesPerOrder(config));
} finally {
  await stack.close();
  await rm(directory, { recursive: true, force: true, maxRetries: 10 });
}

/** One shape: warms up with as much load as is then measured, drains before and after, and divides. */
async function measure(shape: Shape, servers: Record<string, string>, seed: number): Promise<Costs> {
  const roles = await startRoles(directory, servers, shape);
  const pids = { ...roles.pids, ...(await serverPids(directory)) };
  const progress = new Progress(roles.config, say);
  const crew = startCrew({ display: roles.display, cookingMs: COOKING_MS, refreshMs: 200, random: createRandom(seed) });
  const gateway = new URL(`http://127.0.0.1:${roles.config.ORDERMESH_GATEWAY_PORT}`);
  const sender = createSender({ gateway, token: storeTokens(roles.config) });
  const load = async (part: number) => {
    const traffic = createTraffic({ seed: seed * 2 + part + 1 });
    const count = rate * seconds;
    await runOpenLoop({ traffic, sender, ratePerSecond: rate, count, signal: new AbortController().signal });
    await sender.settle();
    const left = await progress.isDone(DRAIN_MS_MAX);
    if (left !== undefined) throw new Error(`not worked off after ${DRAIN_MS_MAX / 1_000} s: ${left}`);
  };
  try {
    await load(0);
    const [before, accepted] = [await processorTimes(pids), sender.report().accepted];
    await load(1);
    const [after, orders] = [await processorTimes(pids), sender.report().accepted - accepted];
    say(`${shapeName(shape)}: ${orders} orders at ${rate}/s, load average ${loadavg()[0]?.toFixed(1)}`);
    return Object.fromEntries(Object.entries(after).map(([name, us]) => [name, (us - (before[name] ?? 0)) / orders]));
  } finally {
    crew.close();
    sender.close();
    await progress.close();
    await roles.stop();
  }
}

/** What stays on the disks: records of all topics, and the database. */
async function bytesPerOrder(config: ConnectedConfig): Promise<Record<string, number>> {
  const records = await withAdmin(config, async (admin) => {
    const counts = await Promise.all(allTopics.map((topic) => admin.offsets(topic)));
    return counts.flat().reduce((sum, { earliest, latest }) => sum + latest - earliest, 0);
  });
  return withDatabase(config, async (sql) => {
    const [row] = await sql<{ orders: number; bytes: number; wal: number }[]>`
      select (select count(*) from orders)::float8 as orders, pg_database_size(current_database())::float8 as bytes,
        pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as wal`;
    const { orders = 1, bytes = 0, wal = 0 } = row ?? {};
    return {
      'records in Kafka': records / orders,
      'bytes in PostgreSQL': bytes / orders,
      'bytes of WAL': wal / orders,
    };
  });
}

function report(measured: readonly { shape: Shape; costs: Costs }[], bytes: Record<string, number>): void {
  const [first] = measured;
  if (first === undefined) return;
  const names = Object.keys(first.costs);
  say(`\nmicroseconds of processor time an order (${availableParallelism()} cores, one machine)`);
  say(['process', ...measured.map(({ shape }) => shapeName(shape))].map(cell).join(''));
  for (const name of names)
    say([name, ...measured.map(({ costs }) => (costs[name] ?? 0).toFixed(0))].map(cell).join(''));
  const workers = ['order-validator', 'payment', 'kitchen'];
  const total = (costs: Costs) => workers.reduce((sum, name) => sum + (costs[name] ?? 0), 0);
  for (const { shape, costs } of measured.slice(1)) {
    const error = errorOf(total(first.costs), total(costs));
    say(`the model's error at ${shapeName(shape)}: ${(100 * error).toFixed(0)} % of the workers' cost`);
  }
  for (const asked of RATES_ASKED) {
    say(`\nat ${asked} orders/s`);
    for (const { name, coresBusy, cores } of needsOf(first.costs, asked))
      say([name, `${coresBusy.toFixed(1)} busy`, `${cores} cores`].map(cell).join(''));
  }
  for (const [name, each] of Object.entries(bytes)) say(`${name} an order: ${each.toFixed(1)}`);
  say(JSON.stringify({ rate, measured, bytes }));
}

function shapeName({ processes, slots }: Shape): string {
  return `${processes} x ${slots} slots`;
}

function cell(text: string): string {
  return text.padEnd(20);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
