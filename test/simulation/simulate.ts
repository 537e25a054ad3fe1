import { parseArgs } from 'node:util';
import { mutants, unchanged } from './mutants.ts';
import { scenarioOf } from './scenario.ts';
import { simulate } from './simulation.ts';

const usage = `npm run simulate -- [--seed N] [--seeds COUNT] [--mutant NAME] [--trace]
  --seed N      the seed, or the first one (default 1)
  --seeds COUNT runs this many seeds, one after the other (default 1)
  --mutant NAME one of ${mutants.map(({ name }) => name).join(', ')}
  --trace       prints what happens, line by line: virtual milliseconds, who, what`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    mutant: { type: 'string', default: unchanged.name },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed);
const count = Number(values.seeds);
const mutant = [unchanged, ...mutants].find(({ name }) => name === values.mutant);
if (values.help || mutant === undefined || !Number.isSafeInteger(first) || !Number.isSafeInteger(count)) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}
let failed = 0;
for (let seed = first; seed < first + count; seed++) {
  if (values.trace) console.log(JSON.stringify(scenarioOf(seed)));
  const options = values.trace ? { mutant, listen: (line: string) => console.log(line) } : { mutant };
  const { violation, traceHash, elapsedMs } = await simulate(seed, options);
  if (violation !== undefined) failed++;
  if (violation !== undefined || count === 1)
    console.log(
      `seed ${seed}: ${violation ?? 'holds'} (${(elapsedMs / 1_000).toFixed(1)} s of virtual time, trace ${traceHash.slice(0, 12)})`,
    );
}
if (count > 1) console.log(`${count} seeds, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
