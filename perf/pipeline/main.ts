// Measures the whole mesh under full load, on servers of its own. Started by ../benches/sustained.ts.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { countLines, findings, isClean } from '../../audit/index.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { programOptions, refuseOption } from '../../contracts/program-options.ts';
import { chainMenuFile } from '../../lab/traffic/index.ts';
import { startSystem } from '../../stack/system/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { outcomeOf } from './outcome.ts';
import { runSustained } from './sustained.ts';

const SEED = 3;

const { values } = programOptions('sustained', {
  options: {
    'warm-up': { type: 'string', default: '45' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    /** A file for the flame graphs: an object with a page for each role. */
    flames: { type: 'string' },
    /** A file for everything that was read. */
    raw: { type: 'string' },
  },
});
const [warmUpSeconds, seconds, rounds] = (['warm-up', 'seconds', 'rounds'] as const).map((name) =>
  /^[1-9]\d*$/.test(values[name])
    ? Number(values[name])
    : refuseOption('sustained', `--${name} is ${JSON.stringify(values[name])}; it takes a whole number from 1`),
) as [number, number, number];
const say = (line: string) => console.error(line);

const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-sustained-'));
process.env.ORDERMESH_DATA_DIR = directory;
// With emulators the libraries need not ask Google's metadata server for an identity.
process.env.METADATA_SERVER_DETECTION = 'none';
try {
  const system = await startSystem(loadConfig(), createLogger('sustained', 'warn'), say, { menuFile: chainMenuFile });
  try {
    const run = await runSustained(system, { warmUpSeconds, seconds, rounds, seed: SEED, directory, say });
    const { verdict, pages, ...evidence } = run;
    countLines(verdict).forEach(say);
    findings(verdict).forEach(say);
    if (values.raw !== undefined) await writeFile(values.raw, JSON.stringify(evidence));
    if (values.flames !== undefined) await writeFile(values.flames, JSON.stringify(pages));
    if (!isClean(verdict)) throw new Error('the audit found orders that were lost, doubled or overtaken: see above');
    console.log(JSON.stringify(outcomeOf(evidence, verdict.counts.accepted)));
  } finally {
    await system.close();
  }
} finally {
  await rm(directory, { recursive: true, force: true, maxRetries: 10 });
}
