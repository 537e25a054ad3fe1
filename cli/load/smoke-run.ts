// The work of `ordermesh smoke`, once everything is up.

import { countLines, eventsInWarehouse, findings, judge, readEvidence, type Verdict } from '../../audit/index.ts';
import { gatewayOf } from '../../contracts/local-url.ts';
import { subscriptions } from '../../contracts/topics.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { withAdmin } from '../../kafka/index.ts';
import { startCrew } from '../../lab/crew.ts';
import { createRandom, createSender, createTraffic, runOpenLoop, type SendReport } from '../../lab/traffic/index.ts';
import { type System, until } from '../../stack/system/index.ts';
import { openTicketCounts, withDatabase } from '../../store/index.ts';
import { print, say } from '../output.ts';
import { crewToken } from '../up/crew-token.ts';
import { keptOut } from './gateway-watch.ts';
import { printSendReport } from './send-report.ts';

/** The load of a smoke run. */
export interface SmokeLoad {
  rate: number;
  seconds: number;
  seed: number;
}

/** Cooks as fast as the tickets come: the run should see every order to its end. */
const COOKING_MS = [200, 1_500] as const;
const SETTLE_MS_MAX = 180_000;
const WAREHOUSE_MS_MAX = 20_000;

export interface SmokeOutcome {
  verdict: Verdict;
  report: SendReport;
  /** Whether every group had committed everything and no ticket was open. */
  settled: boolean;
}

/** Why a run proves nothing although its audit is clean: orders were not accepted, or not finished. */
export function shortfallsOf({ verdict, report, settled }: SmokeOutcome): string[] {
  const { inFlight } = verdict.counts;
  return [
    ...(keptOut(report) ? ['the gateway did not take every order: see the orders refused and unanswered above'] : []),
    ...(settled ? [] : [`not everything is finished after ${SETTLE_MS_MAX / 1_000} s`]),
    ...(inFlight > 0 ? [`${inFlight} steps of orders are in flight`] : []),
  ];
}

/** Sends the load, waits until every order is finished and the warehouse is quiet, and audits. */
export async function loadAndAudit(system: System, { rate, seconds, seed }: SmokeLoad): Promise<SmokeOutcome> {
  const { config, googleCloud, addresses, roles } = system;
  const count = Math.ceil(rate * seconds);
  const promised: string[] = [];
  const sinceMs = Date.now();
  print(`sending ${count} realistic orders at ${rate} a second (seed ${seed})`);
  const sender = createSender({
    gateway: gatewayOf(config),
    token: storeTokens(config),
    giveUpAfterMs: 120_000,
    onResult({ status, orderId }) {
      if (status === 202 && orderId !== undefined) promised.push(orderId);
    },
  });
  await using screen = await crewToken(config);
  const crew = startCrew({
    token: screen.token,
    display: new URL(addresses.find(([name]) => name === 'kitchen display')?.[1] ?? ''),
    cookingMs: COOKING_MS,
    random: createRandom(seed + 1),
  });
  let settled: boolean;
  try {
    const traffic = createTraffic({ seed, realistic: true });
    await runOpenLoop({ traffic, sender, ratePerSecond: rate, count, signal: new AbortController().signal });
    await sender.settle();
    printSendReport(sender.report());
    settled = await until(SETTLE_MS_MAX, async () => (await isIdle(system)) && (await ticketsOpen(system)) === 0);
  } finally {
    crew.close();
    sender.close();
  }
  if (googleCloud) await warehouseIsQuiet(system, sinceMs);
  for (const { role, restarts } of roles) if (restarts > 0) print(`${role} was started again ${restarts} times`);
  const verdict = judge(await readEvidence(config, { promised, sinceMs, onNote: print }));
  findings(verdict).forEach(say);
  countLines(verdict).forEach(print);
  return { verdict, report: sender.report(), settled };
}

/** Open tickets of all stores: the display's own figure on the screens is seconds old. */
function ticketsOpen({ config }: System): Promise<number> {
  return withDatabase(config, async (sql) => {
    const counts = await openTicketCounts(sql);
    return counts.reduce((sum, { open }) => sum + open, 0);
  });
}

/** Whether every group has committed everything that its topic holds. */
function isIdle({ config, googleCloud }: System): Promise<boolean> {
  return withAdmin(config, async (admin) => {
    for (const { group, topic } of subscriptions) {
      if (group === 'bridge' && !googleCloud) continue;
      const committed = await admin.committedOffsets(group, topic);
      const ranges = await admin.offsets(topic);
      if (ranges.some(({ partition, latest }) => latest > (committed.get(partition) ?? 0))) return false;
    }
    return true;
  });
}

/** Waits until the warehouse has stopped growing, for a while at most: it is not part of the verdict. */
async function warehouseIsQuiet({ config }: System, sinceMs: number): Promise<void> {
  let last: number | undefined;
  await until(WAREHOUSE_MS_MAX, async () => {
    const now = (await eventsInWarehouse(config, sinceMs))?.ids.size ?? 0;
    const quiet = now === last;
    last = now;
    return quiet;
  });
}
