import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { describeFailure } from '../cli/failure.ts';
import { parentGone, stopRequest } from '../cli/role.ts';
import { until } from '../cli/system/until.ts';
import { loadConfig } from '../contracts/config.ts';
import { randomSeed } from '../traffic/random.ts';
import { rewinds } from './checker/commits.ts';
import { isCommitted, openTickets } from './drain.ts';
import { type FullHistory, historyFiles, readHistory, recordHistory } from './history-reader.ts';
import { inject } from './injector.ts';
import { makePlan } from './plan.ts';
import { type ChaosSystem, startChaosSystem } from './system.ts';
import { startTraffic } from './traffic.ts';

import { biography, type ChaosVerdict, judgeHistory } from './verdict.ts';
import { watchProgress } from './watch.ts';

const RATE = 30;
/** Orders before the first fault, so that every process has work in hand. */
const WARM_UP_ORDERS = 100;
const WARM_UP_MS_MAX = 30_000;
const DRAIN_MS_MAX = 90_000;
const STRAGGLERS_MS_MAX = 10_000;
const ORDERS_SHOWN = 5;
const EXIT_USAGE = 2;

const startedAt = performance.now();

function say(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6);
  process.stdout.write(`${new Date().toISOString().slice(11, 23)} ${seconds} s  ${line}\n`);
}

async function main(seed: number): Promise<boolean> {
  const config = loadConfig();
  const directory = path.resolve(config.ORDERMESH_DATA_DIR, 'chaos', String(seed));
  await mkdir(directory, { recursive: true });
  say(`chaos with seed ${seed}; everything is kept in ${directory}`);
  const system = await startChaosSystem({ config, directory, seed, say });
  // A process that is frozen when this one ends would stay so: nothing else wakes it.
  process.once('exit', () => system.subjects.processes.thawAll());
  try {
    const { faults, atRest } = await run(system, directory, seed);
    return (await judge(directory, { seed, faults })) && atRest;
  } finally {
    await system.close();
  }
}

/** The verdict on a recorded run, with its line of JSON at the end. @returns whether it is clean */
async function judge(directory: string, more: { seed?: number; faults?: number }): Promise<boolean> {
  const history = await readHistory(path.join(directory, 'history'));
  const verdict = judgeHistory(history);
  report(verdict, history, directory);
  const { lost, duplicateEffects, outOfOrder } = verdict.counts;
  process.stdout.write(`${JSON.stringify({ ...verdict.counts, ...more })}\n`);
  return lost === 0 && duplicateEffects === 0 && outOfOrder === 0;
}

/** Traffic, faults, healing, draining; then the history is recorded. @returns how many faults were injected, and whether all work got done */
async function run(system: ChaosSystem, directory: string, seed: number): Promise<{ faults: number; atRest: boolean }> {
  const { config, display, subjects, tools } = system;
  const historyDirectory = path.join(directory, 'history');
  await mkdir(historyDirectory);
  const plan = makePlan(seed);
  await writeFile(path.join(historyDirectory, 'plan.json'), `${JSON.stringify(plan, null, 2)}\n`);
  say(`sending ${RATE} orders a second`);
  const traffic = startTraffic({ config, display, seed, rate: RATE, file: historyFiles.sent(historyDirectory) });
  const takeEvidence = () => subjects.processes.writeRuntimePages();
  const watch = watchProgress({ config, accepted: () => traffic.accepted, say, onStall: takeEvidence });
  await until(WARM_UP_MS_MAX, async () => traffic.accepted >= WARM_UP_ORDERS);
  const injected = await inject({ plan, subjects, say, signal: new AbortController().signal });
  say(`${injected} faults were injected; healing`);
  await subjects.heal().catch(async (error: unknown) => {
    await takeEvidence();
    throw error;
  });
  const { sent, accepted, refused, retried, unanswered } = await traffic.finish();
  say(`${sent} orders sent, ${accepted} accepted, ${unanswered} unanswered, ${retried} retries`);
  for (const [status, count] of Object.entries(refused)) say(`${count} refused with ${status}`);
  say('draining');
  await until(DRAIN_MS_MAX, async () => (await isCommitted(config)) && (await openTickets(config)) === 0);
  await traffic.close();
  // What the crew has not cooked in time is nobody's fault; what a worker has not worked off is.
  const atRest = await until(STRAGGLERS_MS_MAX, () => isCommitted(config));
  watch.close();
  if (atRest) say('nothing is under way any more');
  else {
    await takeEvidence();
    say(`VIOLATION not everything is worked off ${DRAIN_MS_MAX / 1_000} s after everything was mended`);
  }
  say(`processes were started again ${subjects.processes.restarts} times; stopping the roles`);
  await system.stopRoles();
  say("reading the topics with Kafka's console consumer");
  await recordHistory({ directory: historyDirectory, tools, databaseUrl: config.DATABASE_URL });
  return { faults: injected, atRest };
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
  process.stderr.write(`chaos: the seed is ${JSON.stringify(text)}; it takes a whole number below ${2 ** 31}\n`);
  process.exit(EXIT_USAGE);
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    judge: { type: 'string' },
    'stop-with-parent': { type: 'boolean', default: false },
  },
});
Promise.race([stopRequest(), ...(values['stop-with-parent'] ? [parentGone()] : [])]).then(() => process.exit(130));
try {
  // With --judge a recorded run is judged once more, and nothing is started.
  const clean = values.judge === undefined ? await main(seedOf(values.seed)) : await judge(values.judge, {});
  process.exit(clean ? 0 : 1);
} catch (error) {
  process.stderr.write(`chaos: ${describeFailure(error, true)}\n`);
  process.exit(1);
}
