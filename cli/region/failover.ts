import { Command } from 'commander';
import { loadConfig } from '../../contracts/config.ts';
import { issueToken } from '../../gateway/issuer.ts';
import { UsageError } from '../failure.ts';
import { readInputFile } from '../input-file.ts';
import { positiveNumber } from '../options.ts';
import { print, printJson, say } from '../output.ts';
import { type ChangeOverReport, changeOver } from './change-over.ts';
import { lookAtBoth, regionsOf, type SeenRegion } from './pair.ts';
import { newestState } from './status.ts';

interface FailoverOptions {
  regions?: string;
  oldRegionIsDead?: boolean;
  wait: number;
  acceptLoss?: boolean;
  databaseAsItIs?: boolean;
  scan: number;
  probeOrder?: string;
  tokenFile?: string;
  probeWait: number;
  json?: boolean;
}

/** Of a store that no menu knows: it is rejected, so it costs nobody money and cooks nothing, and shows that orders are worked on. */
const harmlessOrder = {
  storeId: 'probe',
  channel: 'pos',
  currency: 'USD',
  items: [{ sku: 'probe', quantity: 1, unitPrice: 100, modifiers: [] }],
  total: 100,
  payment: { method: 'cash' },
};

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
  const regions = await regionsOf(options.regions);
  const seen = await lookAtBoth(regions);
  const state = newestState(seen);
  if (state === undefined)
    throw new UsageError(
      `neither region says which one is active: ${seen.map(({ addresses, reason }) => `${addresses.name}: ${reason ?? 'no state; run `ordermesh region init`'}`).join('; ')}`,
    );
  // In a failover that was cut short no region is active: it goes on to where it was going.
  const isOld = ({ addresses: { name } }: SeenRegion) =>
    state.active === undefined ? name !== state.next : name === state.active;
  const old = seen.find(isOld);
  const next = seen.find((region) => !isOld(region));
  if (old === undefined || next === undefined)
    throw new UsageError(`${state.active ?? state.next} is not one of the two regions in the regions file`);
  if (next.records === undefined) throw new Error(`${next.addresses.name} cannot take over: ${next.reason}`);
  if (old.records === undefined && !options.oldRegionIsDead)
    throw new Error(
      `${old.addresses.name} does not answer (${old.reason}). If it is really dead, say so: --old-region-is-dead. Orders that only it has come back when it does`,
    );
  if (old.records !== undefined && options.oldRegionIsDead)
    say(`${old.addresses.name} answers, so it is fenced and waited for`);
  const { probeOrder, token } = await probeWith(options);
  const report = await changeOver({
    regions,
    from: old.addresses,
    to: next.addresses,
    target: { ...next.records, state },
    alive: old.records !== undefined,
    waitMs: options.wait * 1_000,
    acceptLoss: options.acceptLoss ?? false,
    databaseAsItIs: options.databaseAsItIs ?? false,
    scanMs: options.scan * 60_000,
    probeOrder,
    token,
    probeMs: options.probeWait * 1_000,
    say,
  });
  if (options.json) printJson(report);
  else show(report);
}

async function probeWith({ probeOrder: file, tokenFile }: FailoverOptions) {
  const probeOrder =
    file === undefined ? harmlessOrder : (JSON.parse(await readInputFile(file)) as typeof harmlessOrder);
  const config = loadConfig();
  if (!config.ORDERMESH_AUTH) return { probeOrder, token: undefined };
  const token =
    tokenFile === undefined
      ? await issueToken({ config, store: probeOrder.storeId })
      : (await readInputFile(tokenFile)).trim();
  return { probeOrder, token };
}

function show({ from, to, epoch, rpoRecords, rtoMs, restored, rewinds, probe }: ChangeOverReport): void {
  print(`${to} is active instead of ${from}, epoch ${epoch}`);
  print(
    `RPO: ${rpoRecords === null ? `${from} is dead; what it had not copied yet is handed over when it comes back` : `${rpoRecords} records`}`,
  );
  print(
    `RTO: ${(rtoMs / 1_000).toFixed(1)} s from the command to ${probe.orders} probe orders (${outcomes(probe.outcomes)})`,
  );
  print(`database: ${restored.decisions} decisions that only the log had`);
  const back = Object.entries(rewinds).map(([group, { records }]) => `${group} ${records}`);
  print(`records read again: ${back.join(', ')}`);
}

function outcomes(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(', ');
}
