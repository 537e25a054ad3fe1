// Keeps the whole mesh as busy as it can be and measures what it carries through. Called by main.ts.

import { setTimeout as delay } from 'node:timers/promises';
import { judge, readEvidence, type Verdict } from '../../audit/index.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { gatewayOf } from '../../contracts/local-url.ts';
import { groups, topics } from '../../contracts/topics.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { type Admin, createAdmin } from '../../kafka/index.ts';
import { startCrew } from '../../lab/crew.ts';
import { createRandom } from '../../lab/traffic/index.ts';
import type { System } from '../../stack/system/index.ts';
import { workedOff } from '../worked-off.ts';
import { sampleRoles } from './flames.ts';
import type { Evidence } from './outcome.ts';
import { rateBetween } from './rate.ts';
import { type Reading, readAll } from './readings.ts';
import { type SteeredLoad, startSteeredLoad } from './steered-load.ts';

/** Orders on their way from the gateway to the kitchen: enough for full batches everywhere, and a second or two of work. */
const UNDER_WAY = 10_000;
const STEER_MS = 100;
/** Of an order the log has its decision and the outcome of its payment. */
const EVENTS_OF_AN_ORDER = 2;

export interface SustainedOptions {
  warmUpSeconds: number;
  /** Counted seconds of a round, and the rounds. */
  seconds: number;
  rounds: number;
  seed: number;
  directory: string;
  say(line: string): void;
}

export interface Sustained extends Evidence {
  /** Flame graphs by the name of the role, sampled after the last round. */
  pages: Record<string, string>;
  verdict: Verdict;
}

export async function runSustained(system: System, options: SustainedOptions): Promise<Sustained> {
  const { config } = system;
  const admin = await createAdmin({ clientId: 'perf-sustained', cluster: clusterOf(config) });
  // With a screen of the whole chain open, the display has tickets to send.
  const crew = startCrew({
    display: new URL(new Map(system.addresses).get('kitchen display') ?? ''),
    random: createRandom(options.seed),
  });
  const load = await startSteeredLoad({ gateway: gatewayOf(config), token: storeTokens(config), ...options });
  const steering = new AbortController();
  const steered = steer(load, admin, steering.signal);
  const roundsOf = (rounds: number) => readRounds(() => readAll(system, load.pid), rounds, options);
  try {
    const warmUp = await roundsOf(Math.ceil(options.warmUpSeconds / options.seconds));
    const readings = await roundsOf(options.rounds);
    const samples = Object.entries(await sampleRoles(system));
    steering.abort();
    await steered;
    const promised = await load.finish();
    await workedOff(admin);
    return {
      warmUp,
      readings,
      sampled: Object.fromEntries(samples.map(([role, { sampled }]) => [role, sampled])),
      pages: Object.fromEntries(samples.map(([role, { page }]) => [role, page])),
      verdict: judge(await readEvidence(config, { promised })),
    };
  } finally {
    steering.abort();
    crew.close();
    await admin.close();
  }
}

/**
 * Reads at the start and after each round. A role of lower priority may take long to answer on a machine whose cores are busy: the next round
 * does not wait for it.
 */
async function readRounds(
  read: () => Promise<Reading>,
  rounds: number,
  { seconds, say }: SustainedOptions,
): Promise<Reading[]> {
  const startedAt = performance.now();
  const readings = [read()];
  for (let round = 1; round <= rounds; round++) {
    await delay(startedAt + round * seconds * 1_000 - performance.now());
    readings.push(read());
  }
  const all = await Promise.all(readings);
  for (const [index, from] of all.slice(0, -1).entries())
    say(`${Math.round(rateBetween(from, all[index + 1] as Reading))} orders/s`);
  return all;
}

/** Lets as many orders in as the kitchen takes out. */
async function steer(load: SteeredLoad, admin: Admin, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    load.allow((await committed(admin, groups.kitchen, topics.validatedOrders)) / EVENTS_OF_AN_ORDER + UNDER_WAY);
    await delay(STEER_MS);
  }
}

async function committed(admin: Admin, group: string, topic: string): Promise<number> {
  const positions = await admin.committedOffsets(group, topic);
  return [...positions.values()].reduce((sum, position) => sum + position, 0);
}
