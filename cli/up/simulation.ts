// The simulated chain of `ordermesh up`: its orders and its crew.

import { gatewayOf } from '../../contracts/local-url.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { type Crew, startCrew } from '../../lab/crew.ts';
import { createRandom, createSender, createTraffic, runOpenLoop } from '../../lab/traffic/index.ts';
import type { System } from '../../stack/system/index.ts';
import { print, uptime } from '../output.ts';
import { crewToken } from './crew-token.ts';

/** A ticket is cooked in one to three minutes, so that the display has something to show. */
const COOKING_MS = [60_000, 180_000] as const;
const REPORT_MS = 60_000;

export interface Simulation {
  rate: number;
  seed: number;
  crew: boolean;
  signal: AbortSignal;
}

/** Sends orders of the simulated chain until `signal`, with a crew that cooks them, and tells how it goes. */
export async function sendOrders(system: System, { rate, seed, crew, signal }: Simulation): Promise<void> {
  const { config, addresses } = system;
  print(`sending ${rate} orders a second of the simulated chain (seed ${seed}); Ctrl-C stops everything`);
  const accepted = new Set<string>();
  let first = true;
  const sender = createSender({
    gateway: gatewayOf(config),
    token: storeTokens(config),
    onResult({ status, orderId }) {
      if (first && status === 202 && orderId !== undefined) accepted.add(orderId);
    },
  });
  const display = new URL(addresses.find(([name]) => name === 'kitchen display')?.[1] ?? '');
  await using screen = await crewToken(config);
  const cooks: Crew = startCrew({
    display,
    token: screen.token,
    cookingMs: crew ? COOKING_MS : undefined,
    random: createRandom(seed + 1),
    onTicket({ orderId, storeId }) {
      if (!first || !accepted.has(orderId)) return;
      first = false;
      accepted.clear();
      print(`first order on the kitchen display after ${uptime()}: ${display.href}stores/${storeId}`);
      print(`its journey: npx ordermesh orders show ${orderId}`);
    },
  });
  const report = setInterval(() => {
    const { sent, accepted, retried, latency } = sender.report();
    print(
      `${sent} orders sent, ${accepted} accepted, ${retried} retries, p99 ${latency.p99Ms.toFixed(1)} ms; ${cooks.bumped} cooked`,
    );
  }, REPORT_MS);
  try {
    await runOpenLoop({ traffic: createTraffic({ seed, realistic: true }), sender, ratePerSecond: rate, signal });
  } finally {
    clearInterval(report);
    cooks.close();
    sender.close();
  }
}
