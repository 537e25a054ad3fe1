import { Command, Option } from 'commander';
import { loadConfig } from '../../contracts/config.ts';
import { gatewayOf } from '../../contracts/local-url.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { type Crew, startCrew } from '../../lab/crew.ts';
import {
  chainMenuFile,
  createRandom,
  createSender,
  createTraffic,
  randomSeed,
  runOpenLoop,
} from '../../lab/traffic/index.ts';
import { type System, startSystem } from '../../stack/system/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { parentGone, stopRequest } from '../../telemetry/role.ts';
import { positiveNumber, wholeNumber } from '../options.ts';
import { print } from '../output.ts';
import { addressTable } from './addresses.ts';

interface UpOptions {
  rate: number;
  seed?: number;
  traffic: boolean;
  crew: boolean;
  /** End as after Ctrl-C when the process that started this one is gone, however it ended. */
  stopWithParent?: boolean;
}

/** A ticket is cooked in one to three minutes, so that the display has something to show. */
const COOKING_MS = [60_000, 180_000] as const;
const REPORT_MS = 60_000;

export function upCommand(): Command {
  return new Command('up')
    .description('Starts the embedded stack and every role, and sends orders of a simulated chain, until Ctrl-C.')
    .option('--rate <n>', 'simulated orders a second on average', positiveNumber, 5)
    .option('--seed <n>', 'seed of the simulated traffic; default: a new one', wholeNumber(0))
    .option('--no-traffic', 'no simulated orders: send your own')
    .option('--no-crew', 'no simulated crew: tickets stay until you bump them')
    .addOption(new Option('--stop-with-parent').hideHelp())
    .action(up);
}

async function up({ rate, seed = randomSeed(), traffic, crew, stopWithParent: withParent }: UpOptions): Promise<void> {
  const config = loadConfig();
  const logger = createLogger('up', config.ORDERMESH_LOG_LEVEL === 'info' ? 'warn' : config.ORDERMESH_LOG_LEVEL);
  let system: System | undefined;
  const stopped = Promise.race([stopRequest(), ...(withParent ? [parentGone()] : [])]);
  // While it starts there is nothing to finish: the roles end with their channel to us, the stack by its guard.
  stopped.then(() => system === undefined && process.exit(130));
  print('starting the stack and the roles');
  system = await startSystem(config, logger, print, { menuFile: chainMenuFile, cloudLater: true });
  const addresses = system.addresses;
  print(`${system.googleCloud ? 'counter and kitchen are' : 'everything is'} up after ${seconds()}\n`);
  print(`${addressTable(addresses)}\n`);
  const stop = new AbortController();
  if (system.googleCloud) sayWhenCloudIsUp(system, addresses, stop.signal);
  else print('the Google Cloud part (Pub/Sub, loyalty, BigQuery) is off');

  const working = traffic ? sendOrders(system, { rate, seed, crew, signal: stop.signal }) : undefined;
  const { close } = system;
  await runUntilStopped({
    stopped,
    working,
    stopWork() {
      print('stopping');
      stop.abort();
    },
    async close() {
      await close();
      print(`stopped; data is kept in ${config.ORDERMESH_DATA_DIR}`);
    },
  });
  process.exit(0);
}

interface Run {
  /** Resolves with a signal. */
  stopped: Promise<unknown>;
  /** The simulated traffic, if any. */
  working: Promise<unknown> | undefined;
  stopWork(): void;
  close(): Promise<void>;
}

/** Waits for a signal, or until the traffic ends or fails; then stops the traffic and closes everything. @throws what the traffic failed with */
export async function runUntilStopped({ stopped, working, stopWork, close }: Run): Promise<void> {
  // A failure of the traffic is thrown by the last line, once everything is closed.
  const settled = working?.catch(() => {});
  await Promise.race([stopped, ...(settled === undefined ? [] : [settled])]);
  stopWork();
  await settled;
  await close();
  await working;
}

/** Orders flow meanwhile: what concerns Google waits in Kafka. */
function sayWhenCloudIsUp(system: System, said: System['addresses'], stopping: AbortSignal): void {
  system.cloud.then(
    () => {
      if (stopping.aborted) return;
      print(`everything is up after ${seconds()}: Pub/Sub, loyalty and BigQuery have joined\n`);
      const names = new Set(said.map(([name]) => name));
      print(`${addressTable(system.addresses.filter(([name]) => !names.has(name)))}\n`);
    },
    // What is cut short by the end of the run has not failed.
    (error: Error) =>
      stopping.aborted || print(`the Google Cloud part (Pub/Sub, loyalty, BigQuery) is off: ${error.message}`),
  );
}

interface Simulation {
  rate: number;
  seed: number;
  crew: boolean;
  signal: AbortSignal;
}

async function sendOrders(system: System, { rate, seed, crew, signal }: Simulation): Promise<void> {
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
  const cooks: Crew = startCrew({
    display,
    cookingMs: crew ? COOKING_MS : undefined,
    random: createRandom(seed + 1),
    onTicket({ orderId, storeId }) {
      if (!first || !accepted.has(orderId)) return;
      first = false;
      accepted.clear();
      print(`first order on the kitchen display after ${seconds()}: ${display.href}stores/${storeId}`);
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

function seconds(): string {
  return `${(performance.now() / 1_000).toFixed(1)} s`;
}
