import { Command, Option } from 'commander';
import { isClean } from '../../audit/index.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { NegativeResult } from '../../contracts/failure.ts';
import { chainMenuFile, randomSeed } from '../../lab/traffic/index.ts';
import { startSystem } from '../../stack/system/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { parentGone, stopRequest } from '../../telemetry/role.ts';
import { positiveNumber, wholeNumber } from '../options.ts';
import { print, printJson, say, uptime } from '../output.ts';
import { loadAndAudit, type SmokeLoad, type SmokeOutcome, shortfallsOf } from './smoke-run.ts';

interface SmokeOptions extends SmokeLoad {
  stopWithParent?: boolean;
}

export function smokeCommand(): Command {
  return new Command('smoke')
    .description(
      'Runs everything under load for a while, waits until nothing is in flight, and audits. Last line: JSON.',
    )
    .option('--rate <n>', 'orders a second on average', positiveNumber, 100)
    .option('--seconds <n>', 'for how long', positiveNumber, 20)
    .option('--seed <n>', 'seed of the traffic', wholeNumber(0), randomSeed())
    .addOption(new Option('--stop-with-parent').hideHelp())
    .action(smoke);
}

async function smoke(options: SmokeOptions): Promise<void> {
  const config = loadConfig();
  const logger = createLogger('smoke', config.ORDERMESH_LOG_LEVEL === 'info' ? 'warn' : config.ORDERMESH_LOG_LEVEL);
  Promise.race([stopRequest(), ...(options.stopWithParent ? [parentGone()] : [])]).then(() => process.exit(130));
  const system = await startSystem(config, logger, print, { menuFile: chainMenuFile });
  let outcome: SmokeOutcome;
  try {
    print(`everything is up after ${uptime()}`);
    outcome = await loadAndAudit(system, options);
  } finally {
    await system.close();
  }
  const shortfalls = shortfallsOf(outcome);
  for (const line of shortfalls) say(line);
  printJson(outcome.verdict.counts);
  if (!isClean(outcome.verdict) || shortfalls.length > 0) throw new NegativeResult();
}
