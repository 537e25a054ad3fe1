// Divides the processor time of a run by its orders: by process, thread and stage. Called by outcome.ts; pure.

import type { RoleName } from '../../contracts/roles.ts';
import { mainThread } from '../../telemetry/metrics.ts';
import { stageCosts, type ThreadCost } from '../../telemetry/stages/stage-costs.ts';
import { beyondTheClock } from './beyond-the-clock.ts';
import type { Reading, RoleReading } from './readings.ts';
import type { Sampled } from './sampled.ts';

/** One row of the table of costs. */
export interface CostRow {
  process: string;
  thread: string;
  stage: string;
  /** Microseconds of processor time an order. */
  us: number;
}

export interface Costs {
  /** Share of `totalUs` that the rows name. */
  explained: number;
  totalUs: number;
  /** Microseconds an order, by process. */
  cost_us_per_order: Record<string, number>;
  /** The last row is what nothing explains. */
  rows: CostRow[];
}

/** By role. */
export type SampledRoles = Partial<Record<RoleName, Sampled>>;

export const UNEXPLAINED = 'unexplained';
const WHOLE = 'all threads';
/** The system's name of the thread that is called `main` here. Those of slots are all called alike. */
const MAIN_THREAD = 'MainThread';

/** Threads of Node that run no JavaScript, by the names that the system shows, and what they do. */
const helpers: Readonly<Record<string, string>> = {
  V8Worker: 'compilers and garbage collector of V8',
  'libuv-worker': 'files, names and ciphers of libuv',
  DelayedTaskSche: 'timer of V8',
};

export function costsOf(before: Reading, after: Reading, sampled: SampledRoles = {}): Costs {
  const orders = after.tickets - before.tickets;
  const perOrder: Record<string, number> = {};
  const rows: CostRow[] = [];
  for (const [name, us] of Object.entries(after.othersUs)) {
    const spent = (us - (before.othersUs[name] ?? 0)) / orders;
    perOrder[name] = spent;
    rows.push({ process: name, thread: WHOLE, stage: '', us: spent });
  }
  for (const [name, reading] of Object.entries(after.roles)) {
    const role = name as RoleName;
    const earlier = before.roles[role];
    if (earlier === undefined) continue;
    perOrder[role] = (reading.processUs - earlier.processUs) / orders;
    for (const { us, ...row } of roleRows(earlier, reading, sampled[role]))
      rows.push({ process: role, ...row, us: us / orders });
  }
  const totalUs = Object.values(perOrder).reduce((sum, us) => sum + us, 0);
  const namedUs = rows.reduce((sum, { us }) => sum + us, 0);
  rows.sort((a, b) => b.us - a.us);
  rows.push({ process: UNEXPLAINED, thread: '', stage: '', us: totalUs - namedUs });
  return { explained: namedUs / totalUs, totalUs, cost_us_per_order: perOrder, rows };
}

type RoleRow = Omit<CostRow, 'process'>;

/** In microseconds altogether: each thread's stages and what it did beside them, and the threads without JavaScript. */
function roleRows(before: RoleReading, after: RoleReading, sampled: Sampled = {}): RoleRow[] {
  const spent = (names: (name: string) => boolean) =>
    Object.entries(after.threadsUs)
      .filter(([name]) => names(name))
      .reduce((sum, [name, us]) => sum + us - (before.threadsUs[name] ?? 0), 0);
  const clocks = stageCosts(before.stages, after.stages);
  const [main, slots] = [clocks.filter(isMain), clocks.filter((cost) => !isMain(cost))];
  const rows = [
    ...threadRows(
      main,
      spent((name) => name === MAIN_THREAD),
      sampled,
    ),
    ...threadRows(
      slots,
      spent((name) => name !== MAIN_THREAD && !(name in helpers)),
      sampled,
    ),
    ...Object.entries(helpers).map(([name, stage]) => ({ thread: name, stage, us: spent((each) => each === name) })),
  ];
  return rows.filter(({ us }) => us > 0);
}

function isMain({ thread }: ThreadCost): boolean {
  return thread === mainThread;
}

/**
 * @param spentUs of these threads, as the system says. A role of low priority tells of its clocks later than it looked at them, so the clocks
 * may have seen more or less than that: what they divide is never more than what was spent.
 */
function threadRows(clocks: readonly ThreadCost[], spentUs: number, sampled: Sampled): RoleRow[] {
  const clockedUs = clocks.reduce((sum, { cpuSeconds }) => sum + cpuSeconds * 1e6, 0);
  const part = Math.min(1, spentUs / clockedUs);
  return clocks.flatMap((cost) => {
    const stages = cost.stages.map(({ stage, cpuSeconds }) => ({ name: stage as string, seconds: cpuSeconds }));
    return [...stages, ...beyondTheClock(cost, sampled[cost.thread])].map(({ name, seconds }) => ({
      thread: cost.thread,
      stage: name,
      us: part * seconds * 1e6,
    }));
  });
}
