import { stepsFor } from './cpu-work.ts';

/**
 * How many steps of `compute` take MILLISECONDS here.
 *
 *   node perf/load/calibrate-cpu.ts MILLISECONDS
 */
const [targetMs] = process.argv.slice(2);
if (targetMs === undefined) throw new Error('usage: calibrate-cpu.ts MILLISECONDS');
console.log(JSON.stringify({ steps: stepsFor(Number(targetMs)) }));
