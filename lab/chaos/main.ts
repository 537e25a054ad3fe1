// Runs the mesh under seeded faults and judges what it did. Started by `npm run chaos` and `make chaos`.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { describeFailure } from '../../contracts/failure.ts';
import { programOptions, refuseOption } from '../../contracts/program-options.ts';
import { until } from '../../stack/system/index.ts';
import { serverAt } from '../../store/index.ts';
import { parentGone, stopRequest } from '../../telemetry/role.ts';
import { randomSeed } from '../traffic/random.ts';
import { keepBusy } from './busy.ts';
import { rewinds } from './checker/commits.ts';
import { isCommitted, openTickets } from './drain.ts';
import { type FullHistory, historyFiles, readHistory, recordHistory } from './history-reader.ts';
import { type Injected, inject } from './injector.ts';
import { type LivenessWatch, watchLiveness } from './liveness/watch.ts';
import { type Lane, lanes, makePlan, onlyLanes, type Plan } from './plan.ts';
import { type ChaosSystem, startChaosSystem } from './system.ts';
import { startTraffic } from './traffic.ts';
import { biography, type ChaosVerdict, judgeHistory } from './verdict.ts';

const RATE = 30;
/** Orders before the first fault, so that every process has work in hand. */
const WARM_UP_ORDERS = 100;
const WARM_UP_MS_MAX = 30_000;
/** Traffic after everything is mended: a partition without work proves nothing. */
const AFTERWARDS_MS = 8_000;
const DRAIN_MS_MAX = 90_000;
const STRAGGLERS_MS_MAX = 10_000;
const ORDERS_SHOWN = 5;
const startedAt = performance.now();

function say(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6);
  process.stdout.write(`${new Date().toISOString().slice(11, 23)} ${seconds} s  ${line}\n`);
}

/** What a run adds to the counts of the audit. */
interface RunReport extends Injected {
  seed: number;
  /** Partitions and roles that stood for 30 s after everything was mended. */
  stood: number;
  /** Partitions that stood while faults were on, and no role said so. */
  silent: number;
}

async function main(seed: number, chosen: readonly Lane[], busy: boolean): Promise<boolean> {
  const config = loadConfig();
  const directory = path.resolve(config.ORDERMESH_DATA_DIR, 'chaos', String(seed));
  await mkdir(directory, { recursive: true });
  say(`chaos with seed ${seed}; everything is kept in ${directory}`);
  using _ = busy ? keepBusy(say) : { [Symbol.dispose]() {} };
  const system = await startChaosSystem({ config, directory, seed, say });
  // A process that is frozen when this one ends would stay so: nothing else wakes it.
  process.once('exit', () => system.subjects.processes.thawAll());
  try {
    const { report, isLive } = await run(system, directory, seed, chosen);
    return (await judge(directory, report)) && isLive;
  } finally {
    await system.close();
  }
}

/** The verdict on a recorded run, with its line of JSON at the end. @returns whether it is clean */
async function judge(directory: string, more: Partial<RunReport>): Promise<boolean> {
  const history = await readHistory(path.join(directory, 'history'));
  const verdict = judgeHistory(history);
  report(verdict, history, directory);
  const { lost, duplicateEffects, outOfOrder } = verdict.counts;
  process.stdout.write(`${JSON.stringify({ ...verdict.counts, ...more })}\n`);
  return lost === 0 && duplicateEffects === 0 && outOfOrder === 0;
}

/** Traffic, faults, healing, draining; then the history is recorded. */
async function run(
  system: ChaosSystem,
  directory: string,
  seed: number,
  chosen: readonly Lane[],
): Promise<{ report: RunReport; isLive: boolean }> {
  const { config, display, subjects, tools } = system;
  const historyDirectory = path.join(directory, 'history');
  await mkdir(historyDirectory);
  const plan = onlyLanes(makePlan(seed), chosen);
  await writeFile(path.join(historyDirectory, 'plan.json'), `${JSON.stringify(plan, null, 2)}\n`);
  say(`sending ${RATE} orders a second`);
  const traffic = startTraffic({ config, display, seed, rate: RATE, file: historyFiles.sent(historyDirectory) });
  const watch = watchLiveness({
    cluster: clusterOf(config),
    roles: () => subjects.processes.adminAddresses,
    directory: path.join(directory, 'logs'),
    accepted: () => traffic.accepted,
    say,
  });
  await until(WARM_UP_MS_MAX, async () => traffic.accepted >= WARM_UP_ORDERS);
  const injected = await inject({ plan, subjects, say, signal: new AbortController().signal });
  say(`${injected.faults} faults were injected; healing`);
  await subjects.heal();
  watch.mended();
  say('everything is mended; from now on nothing may stand');
  await delay(AFTERWARDS_MS);
  const { sent, accepted, refused, retried, unanswered } = await traffic.finish();
  say(`${sent} orders sent, ${accepted} accepted, ${unanswered} unanswered, ${retried} retries`);
  for (const [status, count] of Object.entries(refused)) say(`${count} refused with ${status}`);
  const isLive = (await drain(config, watch)) && provesEnough(plan, injected);
  await traffic.close();
  // What the crew cooked last is worked off as well.
  const atRest = isLive && (await until(STRAGGLERS_MS_MAX, () => isCommitted(config)));
  await watch.close();
  if (isLive)
    say(atRest ? 'nothing is in flight any more' : 'VIOLATION the last commands of the crew are not worked off');
  say(`processes were started again ${subjects.processes.restarts} times; stopping the roles`);
  await system.stopRoles();
  say("reading the topics with Kafka's console consumer");
  await recordHistory({ directory: historyDirectory, tools, database: serverAt(config.DATABASE_URL, config) });
  const { stood, silent } = watch;
  return { report: { seed, ...injected, stood, silent }, isLive: atRest && stood === 0 && silent === 0 };
}

/** @returns whether all work got done and every role is ready; a run in which something stands ends at once */
async function drain(config: ChaosSystem['config'], watch: LivenessWatch): Promise<boolean> {
  say('draining');
  const done = async () => watch.allReady && (await isCommitted(config)) && (await openTickets(config)) === 0;
  await until(DRAIN_MS_MAX, async () => watch.stood > 0 || (await done()));
  if (watch.stood > 0) return false;
  // What the crew has not cooked in time is no fault; what a worker has not worked off is one.
  const isDone = watch.allReady && (await isCommitted(config));
  if (!isDone) say(`VIOLATION not everything is worked off ${DRAIN_MS_MAX / 1_000} s after everything was mended`);
  return isDone;
}

/** A lost answer needs its request, which may not come while other faults are on. A run without most of them says little. */
function provesEnough(plan: Plan, { lostAnswers }: Injected): boolean {
  const planned = plan.answers.length;
  if (lostAnswers >= planned / 2) return true;
  say(`VIOLATION only ${lostAnswers} of ${planned} answers were lost: the run proves too little`);
  return false;
}

function report({ counts, findings, repeats }: ChaosVerdict, history: FullHistory, directory: string): void {
  const orders = Map.groupBy(findings, ({ orderId }) => orderId);
  for (const [orderId, ofOrder] of [...orders].slice(0, ORDERS_SHOWN)) {
    say(`VIOLATION ${orderId}`);
    for (const { kind, detail } of ofOrder) say(`    ${kind}: ${detail}`);
    for (const line of biography(history, orderId)) say(`    ${line}`);
  }
  if (orders.size > ORDERS_SHOWN) say(`and ${orders.size - ORDERS_SHOWN} more orders`);
  say(`${repeats} repeated records, ${rewinds(history.commits)} commits behind an earlier one (redelivery, no fault)`);
  say(`${counts.lost} lost, ${counts.duplicateEffects} duplicate effects, ${counts.outOfOrder} out of order`);
  say(`history: ${path.join(directory, 'history')}, logs: ${path.join(directory, 'logs')}`);
}

function seedOf(text: string | undefined): number {
  if (text === undefined || text === '') return randomSeed();
  const seed = Number(text);
  if (/^\d+$/.test(text) && seed < 2 ** 31) return seed;
  refuseOption('chaos', `the seed is ${JSON.stringify(text)}; it takes a whole number below ${2 ** 31}`);
}

function lanesOf(text: string | undefined): readonly Lane[] {
  if (text === undefined || text === '') return lanes;
  const chosen = text.split(',').map((name) => lanes.find((lane) => lane === name));
  if (chosen.every((lane) => lane !== undefined)) return chosen;
  refuseOption('chaos', `the lanes are ${JSON.stringify(text)}; they are some of ${lanes.join(', ')}`);
}

const { values } = programOptions('chaos', {
  options: {
    seed: { type: 'string' },
    judge: { type: 'string' },
    busy: { type: 'boolean', default: false },
    lanes: { type: 'string' },
    'stop-with-parent': { type: 'boolean', default: false },
  },
});
Promise.race([stopRequest(), ...(values['stop-with-parent'] ? [parentGone()] : [])]).then(() => process.exit(130));
try {
  // With --judge a recorded run is judged once more, and nothing is started.
  const clean =
    values.judge === undefined
      ? await main(seedOf(values.seed), lanesOf(values.lanes), values.busy)
      : await judge(values.judge, {});
  process.exit(clean ? 0 : 1);
} catch (error) {
  process.stderr.write(`chaos: ${describeFailure(error, true)}\n`);
  process.exit(1);
}
