import { lastJson, program, runProgram } from '../child.ts';
import type { MirrorLag } from '../load/mirror-lag.ts';
import type { Figures } from '../report.ts';
import { figure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const RATE = 2_000;
const SECONDS_FACTOR = 6;

/** How far the other region is behind while orders come in. */
export async function benchMirror({ env, seconds }: Bench): Promise<Figures> {
  const args = ['--rate', String(RATE), '--seconds', String(seconds * SECONDS_FACTOR)];
  const { p50, p99, max, records } = lastJson<MirrorLag>(
    await runProgram(program('perf/load/mirror-lag.ts'), args, { env }),
  );
  const versus =
    `${RATE.toLocaleString('en')} orders/s, four records each, from written in one region to read in the other; ` +
    `${records.toLocaleString('en')} records, p50 ${p50} ms, longest ${max} ms; the bar is 5,000`;
  return { mirror_lag_p99_ms: figure([p99], 'ms', versus) };
}
