import { Command, Option } from 'commander';
import { loadConfig } from '../../contracts/config/config.ts';
import { chainMenuFile, randomSeed } from '../../lab/traffic/index.ts';
import { type System, startSystem } from '../../stack/system/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { parentGone, stopRequest } from '../../telemetry/role.ts';
import { positiveNumber, wholeNumber } from '../options.ts';
import { print, uptime } from '../output.ts';
import { addressTable } from './addresses.ts';
import { runUntilStopped } from './run.ts';
import { sendOrders } from './simulation.ts';

interface UpOptions {
  rate: number;
  seed?: number;
  traffic: boolean;
  crew: boolean;
  /** End as after Ctrl-C when the process that started this one is gone, however it ended. */
  stopWithParent?: boolean;
}

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
  // During the start there is nothing to finish: the roles end when their channel to this process closes, the servers by their guard process.
  stopped.then(() => system === undefined && process.exit(130));
  print('starting the stack and the roles');
  system = await startSystem(config, logger, print, { menuFile: chainMenuFile, cloudLater: true });
  const addresses = system.addresses;
  print(`${system.googleCloud ? 'counter and kitchen are' : 'everything is'} up after ${uptime()}\n`);
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

/** Orders flow meanwhile: records for Google Cloud wait in Kafka. */
function sayWhenCloudIsUp(system: System, said: System['addresses'], stopping: AbortSignal): void {
  system.cloud.then(
    () => {
      if (stopping.aborted) return;
      print(`everything is up after ${uptime()}: Pub/Sub, loyalty and BigQuery have joined\n`);
      const names = new Set(said.map(([name]) => name));
      print(`${addressTable(system.addresses.filter(([name]) => !names.has(name)))}\n`);
    },
    // A start that the end of the run interrupts has not failed.
    (error: Error) =>
      stopping.aborted || print(`the Google Cloud part (Pub/Sub, loyalty, BigQuery) is off: ${error.message}`),
  );
}
