// Runs the mesh on several hosts without a shared disk, changes them under load, and audits. Started by `make fleet`.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findings, isClean, judge, readEvidence } from '../../audit/index.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { describeFailure } from '../../contracts/failure.ts';
import { programOptions } from '../../contracts/program-options.ts';
import { kafkaClassPath, lockDataDir, userCacheDir } from '../../stack/index.ts';
import { until } from '../../stack/system/index.ts';
import { parentGone, stopRequest } from '../../telemetry/role.ts';
import { withoutRepeats } from '../../telemetry/without-repeats.ts';
import { watchLiveness } from '../chaos/liveness/watch.ts';
import { installTools, runEnclosed } from './enclosure.ts';
import { Fleet } from './fleet.ts';
import { Progress } from './progress.ts';
import { changeFleet } from './scenario.ts';
import { startTills } from './tills.ts';

const RATE = 100;
const SEED = 17;
const WARM_UP_ORDERS = 500;
const WARM_UP_MS_MAX = 240_000;
/** Traffic after the last change: a partition without work proves nothing. */
const AFTERWARDS_MS = 10_000;
const DRAIN_MS_MAX = 300_000;
const startedAt = performance.now();

function say(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6);
  process.stdout.write(`${seconds} s  ${line}\n`);
}

const { values } = programOptions('fleet', {
  options: {
    /** The program is in its namespaces already; the two directories are those of the program outside. */
    enclosed: { type: 'string', multiple: true },
    'stop-with-parent': { type: 'boolean', default: false },
  },
});

/** Outside of the namespaces: fetches what needs the network, then encloses this program. @returns its exit code */
async function enclose(): Promise<number> {
  const config = loadConfig();
  const directory = path.resolve(config.ORDERMESH_DATA_DIR, 'fleet');
  await mkdir(directory, { recursive: true });
  const unlock = await lockDataDir(directory);
  try {
    const cacheDir = await userCacheDir(config);
    await installTools(say);
    await kafkaClassPath(cacheDir);
    const stopping = Promise.race([stopRequest(), ...(values['stop-with-parent'] ? [parentGone()] : [])]);
    const program = fileURLToPath(import.meta.url);
    return await runEnclosed(program, ['--enclosed', directory, '--enclosed', cacheDir], stopping);
  } finally {
    await unlock();
  }
}

/** In the namespaces. @returns whether nothing was lost, doubled or overtaken, and nothing stood */
async function main(directory: string, cacheDir: string): Promise<boolean> {
  say(`disks and logs of the hosts are in ${path.join(directory, 'hosts')}`);
  const fleet = await Fleet.start(directory, cacheDir, withoutRepeats(say));
  const { config } = fleet;
  const progress = new Progress(config, say);
  say(`sending ${RATE} orders a second`);
  const tills = startTills({ config, seed: SEED, rate: RATE, say });
  const warm = await until(WARM_UP_MS_MAX, async () => tills.promised.size >= WARM_UP_ORDERS);
  if (!warm) throw new Error(`only ${tills.promised.size} orders were accepted within ${WARM_UP_MS_MAX / 1_000} s`);
  let stood = await changeFleet(fleet, tills, progress, say);

  say('nothing is broken any more; from now on nothing may stand');
  const watch = watchLiveness({
    cluster: clusterOf(config),
    // Their admin ports answer on their own hosts only: the hosts are asked below.
    roles: () => [],
    directory: path.join(directory, 'logs'),
    accepted: () => tills.promised.size,
    say,
  });
  watch.mended();
  await new Promise((resolve) => setTimeout(resolve, AFTERWARDS_MS));
  for (const { sent, accepted, unanswered, retried, refused } of await tills.finish())
    say(
      `${sent} orders sent, ${accepted} accepted, ${unanswered} unanswered, ${retried} retries ${JSON.stringify(refused)}`,
    );
  const left = await progress.isDone(DRAIN_MS_MAX);
  const unready = await fleet.unready();
  await watch.close();
  await progress.close();
  stood += watch.stood + unready.length + (left === undefined ? 0 : 1);
  if (left !== undefined) say(`VIOLATION not everything is worked off: ${left}`);
  for (const line of unready) say(`VIOLATION not ready: ${line}`);

  const verdict = judge(await readEvidence(config, { promised: tills.promised, onNote: say }));
  findings(verdict).forEach(say);
  if (!isClean(verdict)) await writeFile(path.join(directory, 'faults.json'), JSON.stringify(verdict.faults, null, 2));
  process.stdout.write(`${JSON.stringify({ ...verdict.counts, hosts: fleet.hostsSeen, stood })}\n`);
  return isClean(verdict) && stood === 0;
}

try {
  const [directory, cacheDir] = values.enclosed ?? [];
  if (directory === undefined || cacheDir === undefined) process.exit(await enclose());
  process.exit((await main(directory, cacheDir)) ? 0 : 1);
} catch (error) {
  process.stderr.write(`fleet: ${describeFailure(error, true)}\n`);
  process.exit(1);
}
