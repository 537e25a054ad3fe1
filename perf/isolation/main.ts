// Shows that the kitchen does not notice what happens in the cloud. Started by `make isolation`.

import { rm } from 'node:fs/promises';
import path from 'node:path';
import { countLines, findings, isClean as isAuditClean, judge, readEvidence, type Verdict } from '../../audit/index.ts';
import { type ConnectedConfig, loadConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { describeFailure } from '../../contracts/failure.ts';
import { type Admin, createAdmin } from '../../kafka/index.ts';
import { Progress } from '../../lab/fleet/progress.ts';
import { lockDataDir } from '../../stack/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { parentGone, stopRequest } from '../../telemetry/role.ts';
import { withoutRepeats } from '../../telemetry/without-repeats.ts';
import { runCommand } from '../child.ts';
import { startProxiedSystem } from './cloud.ts';
import { drain, leftText } from './drain.ts';
import { type Load, startLoad } from './load.ts';
import { figuresOf, type RoundFigures } from './measure.ts';
import { isolationOptions } from './options.ts';
import { planRounds } from './plan.ts';
import { figureLines, lastLine, writeIsolation } from './report.ts';
import { startSampler } from './sampler.ts';
import { playRounds } from './scenario.ts';
import { shortfallsOf, summarize } from './verdict.ts';

const FINISH_MS_MAX = 300_000;
const FINISH_S_MAX = 120;
const reportDirectory = new URL('../report/', import.meta.url);
const options = isolationOptions();
const startedAt = performance.now();

function say(line: string): void {
  const elapsed = ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6);
  process.stdout.write(`${elapsed} s  ${line}\n`);
}

interface Outcome {
  /** The last line of the program. */
  line: string;
  /** Whether the kitchen was isolated in every case, everything drained, and nothing was lost, doubled or overtaken. */
  isClean: boolean;
}

async function main(): Promise<Outcome> {
  const directory = path.resolve(loadConfig().ORDERMESH_DATA_DIR, 'isolation');
  const unlock = await lockDataDir(directory);
  try {
    for (const part of ['servers', 'roles']) await rm(path.join(directory, part), { recursive: true, force: true });
    // What other programs have written goes to the disk now, and not while we measure.
    await runCommand('sync', []);
    say(`data and logs are in ${directory}`);
    return await run(directory);
  } finally {
    await unlock();
  }
}

async function run(directory: string): Promise<Outcome> {
  const { rate, seed, seconds, rounds: roundsOfEach, names } = options;
  await using proxied = await startProxiedSystem(directory, createLogger('isolation', 'warn'), withoutRepeats(say));
  await using started = new AsyncDisposableStack();
  const { system, cloud } = proxied;
  const { config, roles } = system;
  const cluster = clusterOf(config);
  const admin = started.adopt(await createAdmin({ clientId: 'ordermesh-isolation', cluster }), (each) => each.close());
  say(`sending ${rate} realistic orders a second (seed ${seed})`);
  const sinceMs = Date.now();
  const load = started.adopt(startLoad(system, { rate, seed }), (each) => each.close());
  const sampler = started.adopt(startSampler(admin, roles, say), (each) => each.close());

  const rounds = await playRounds(planRounds(names, roundsOfEach), {
    admin,
    cloud,
    config,
    load,
    sampler,
    seconds,
    say,
  });
  const failures = await finish(admin, config, load);
  for (const { role, restarts } of roles)
    if (restarts > 0) failures.push(`${role} ended and was started again, ${restarts} times`);
  const verdict = judge(await readEvidence(config, { promised: load.promised, sinceMs, onNote: say }));

  const orders = load.shown();
  const measured = rounds.map((round) => {
    const figures = figuresOf(round, orders, sampler.samples);
    if (figures === undefined) throw new Error(`no order of a round of ${round.name} became a ticket`);
    return figures;
  });
  return conclude(measured, verdict, failures, { orders, samples: sampler.samples });
}

/** Ends the load and waits until everything is cooked and in the cloud. @returns what is not, in words */
async function finish(admin: Admin, config: ConnectedConfig, load: Load): Promise<string[]> {
  const { sent, accepted, refused, unanswered, retried } = await load.finish();
  say(
    `${sent} orders sent, ${accepted} accepted, ${unanswered} unanswered, ${retried} retries ${JSON.stringify(refused)}`,
  );
  const progress = new Progress(config, say);
  try {
    const left = await progress.isDone(FINISH_MS_MAX);
    const drained = await drain({ admin, config, load, sinceMs: 0, secondsMax: FINISH_S_MAX });
    return [
      ...(left === undefined ? [] : [`not everything is worked off: ${left}`]),
      ...(leftText(drained) === '' ? [] : [`the cloud does not have everything at the end: ${leftText(drained)}`]),
    ];
  } finally {
    await progress.close();
  }
}

async function conclude(
  rounds: readonly RoundFigures[],
  verdict: Verdict,
  otherFailures: readonly string[],
  series: Pick<Parameters<typeof writeIsolation>[1], 'orders' | 'samples'>,
): Promise<Outcome> {
  const { rate, seconds } = options;
  const figures = summarize(rounds);
  const { failures, open } = shortfallsOf(figures);
  const { inFlight } = verdict.counts;
  const all = [...failures, ...otherFailures, ...(inFlight > 0 ? [`${inFlight} steps of orders are in flight`] : [])];
  await writeIsolation(reportDirectory, { rate, seconds, rounds, figures, ...series });
  say(`plots: ${new URL('isolation.html', reportDirectory).pathname}`);
  countLines(verdict).forEach(say);
  findings(verdict).forEach(say);
  figureLines(figures).forEach(say);
  for (const line of open) say(`OPEN ${line}`);
  for (const line of all) say(`VIOLATION ${line}`);
  return { line: lastLine(figures, verdict.counts), isClean: isAuditClean(verdict) && all.length === 0 };
}

Promise.race([stopRequest(), ...(options.stopWithParent ? [parentGone()] : [])]).then(() => process.exit(130));
try {
  const { line, isClean } = await main();
  // What stops says its last words before.
  process.stdout.write(`${line}\n`);
  process.exit(isClean ? 0 : 1);
} catch (error) {
  process.stderr.write(`isolation: ${describeFailure(error, true)}\n`);
  process.exit(1);
}
