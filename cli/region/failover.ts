import { Command } from 'commander';
import { assertFlips, pairOf } from '../../region/index.ts';
import { failover, regionsOf } from '../../region/operations/index.ts';
import { positiveNumber } from '../options.ts';
import { printJson, say } from '../output.ts';
import { printOutcome } from './failover-text.ts';
import { type Probing, probeWith } from './probe-order.ts';

interface FailoverOptions extends Probing {
  regions?: string;
  to?: string;
  oldRegionIsDead?: boolean;
  wait: number;
  acceptLoss?: boolean;
  databaseAsItIs?: boolean;
  scan: number;
  probeWait: number;
  json?: boolean;
}

export function failoverCommand(): Command {
  return withOptions(new Command('failover'))
    .description('Makes the passive region the active one: fence, mirror, database, positions, DNS, probe orders.')
    .option('--old-region-is-dead', 'the active region does not answer and must not come back by itself')
    .action(run);
}

export function failbackCommand(): Command {
  return withOptions(new Command('failback'))
    .description(
      'The way back, once the mended region follows the active one: a failover in which both regions are alive.',
    )
    .action(run);
}

function withOptions(command: Command): Command {
  return command
    .option('--regions <file>', 'addresses of both regions; ORDERMESH_REGIONS_FILE by default')
    .option(
      '--to <region>',
      'the region that takes over; by default the passive one, or in a failover that was cut short the one it was going to',
    )
    .option('--wait <seconds>', 'longest wait for the old workers, and then for the mirror', positiveNumber, 60)
    .option('--accept-loss', 'go on although the mirror is behind after that time')
    .option('--database-as-it-is', 'go on although the database was no standby: what no log holds is missing in it')
    .option('--scan <minutes>', 'how far back records without an outcome are looked for', positiveNumber, 10)
    .option(
      '--probe-order <file>',
      'an order without orderId and placedAt to probe with; by default one that is rejected',
    )
    .option('--token-file <file>', "token for the probe order's store; by default one of the development issuer")
    .option('--probe-wait <seconds>', 'longest wait for the probe orders', positiveNumber, 60)
    .option('--json', 'print the report as one JSON object');
}

async function run(options: FailoverOptions): Promise<void> {
  const { to, oldRegionIsDead = false, acceptLoss = false, databaseAsItIs = false } = options;
  const regions = await regionsOf(options.regions);
  if (to !== undefined) pairOf(regions, to);
  // Faults in the settings of the last two steps are found before the first step.
  await assertFlips(regions.dns);
  const outcome = await failover({
    regions,
    to,
    oldRegionIsDead,
    acceptLoss,
    databaseAsItIs,
    ...(await probeWith(options)),
    waitMs: options.wait * 1_000,
    scanMs: options.scan * 60_000,
    probeMs: options.probeWait * 1_000,
    say,
  });
  if (options.json) printJson(outcome.report);
  else printOutcome(outcome);
}
