import { Command } from 'commander';
import { UsageError } from '../../contracts/failure.ts';
import type { RegionState } from '../../region/index.ts';
import { assertFlips, pairOf } from '../../region/index.ts';
import {
  type ChangeOverReport,
  changeOver,
  type FinishReport,
  type Flip,
  finish,
  lookAtBoth,
  regionsOf,
  type SeenRegion,
} from '../../region/operations/index.ts';
import { positiveNumber } from '../options.ts';
import { print, printJson, say } from '../output.ts';
import { type Probing, probeWith } from './probe-order.ts';
import { newestState } from './status.ts';

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
  const regions = await regionsOf(options.regions);
  if (options.to !== undefined) pairOf(regions, options.to);
  // Faults in the settings of the last two steps are found before the first step.
  await assertFlips(regions.dns);
  const { probeOrder, token } = await probeWith(options);
  const seen = await lookAtBoth(regions);
  const state = newestState(seen);
  if (state === undefined)
    throw new UsageError(
      `neither region says which one is active: ${seen.map(({ addresses, reason }) => `${addresses.name}: ${reason ?? 'no state; run `ordermesh region init`'}`).join('; ')}`,
    );
  const flip = { regions, probeOrder, token, probeMs: options.probeWait * 1_000, say };
  const active = seen.find(({ addresses }) => addresses.name === state.active);
  if (active?.records !== undefined && isThere(state, options.to)) {
    if (state.unfinished === undefined) {
      const { active: to, epoch } = state;
      return options.json ? printJson({ to, epoch }) : print(`${to} is active already, epoch ${epoch}`);
    }
    const from = seen.find((region) => region !== active && region.records !== undefined)?.addresses;
    const report = await finish({ ...flip, to: active.addresses }, { state, from });
    return options.json ? printJson(report) : showFinish(report);
  }
  const report = await move(options, { flip, seen, state });
  if (options.json) printJson(report);
  else show(report);
}

/** Whether the region that this command would make active is active already: at most the name and the probe orders are left. */
function isThere({ active, unfinished }: RegionState, to: string | undefined): boolean {
  return to === undefined ? unfinished !== undefined : to === active;
}

async function move(
  options: FailoverOptions,
  { flip, seen, state }: { flip: Omit<Flip, 'to'>; seen: readonly SeenRegion[]; state: RegionState },
): Promise<ChangeOverReport> {
  // In a failover that was cut short no region is active: it goes on to where it was going.
  const isOld = ({ addresses: { name } }: SeenRegion) =>
    state.active === undefined ? name !== state.next : name === state.active;
  const old = seen.find(isOld);
  const next = seen.find((region) => !isOld(region));
  if (old === undefined || next === undefined)
    throw new UsageError(`${state.active ?? state.next} is not one of the two regions in the regions file`);
  const to = next.addresses.name;
  if (options.to !== undefined && options.to !== to)
    throw new UsageError(
      state.active === undefined
        ? `a failover to ${to} was cut short: finish it first (without --to, or with --to ${to}), then go to ${options.to}`
        : `${options.to} is active by the newest state and does not answer (${old.reason}); the only way is to ${to}`,
    );
  if (next.records === undefined) throw new Error(`${to} cannot take over: ${next.reason}`);
  if (old.records === undefined && !options.oldRegionIsDead)
    throw new Error(
      `${old.addresses.name} does not answer (${old.reason}). If it is really dead, say so: --old-region-is-dead. Orders that only it has come back when it does`,
    );
  if (old.records !== undefined && options.oldRegionIsDead)
    say(`${old.addresses.name} answers, so it is fenced and waited for`);
  return changeOver({
    ...flip,
    from: old.addresses,
    to: next.addresses,
    state,
    alive: old.records !== undefined,
    waitMs: options.wait * 1_000,
    acceptLoss: options.acceptLoss ?? false,
    databaseAsItIs: options.databaseAsItIs ?? false,
    scanMs: options.scan * 60_000,
  });
}

function show({ from, to, epoch, rpoRecords, alive, rtoMs, restored, rewinds, probe }: ChangeOverReport): void {
  print(`${to} is active instead of ${from}, epoch ${epoch}`);
  print(`RPO: ${rpoRecords === null ? unknownLoss(from, alive) : `${rpoRecords} records`}`);
  print(
    `RTO: ${(rtoMs / 1_000).toFixed(1)} s from the command to ${probe.orders} probe orders (${outcomes(probe.outcomes)})`,
  );
  print(`database: ${restored.decisions} decisions that only the log had`);
  const back = Object.entries(rewinds).map(([group, { records }]) => `${group} ${records}`);
  print(`records read again: ${back.join(', ')}`);
}

function unknownLoss(from: string, alive: boolean): string {
  return alive
    ? `not known, for this command went on where another was cut short; what had not been copied is sent to the new region by the mirror of ${from}`
    : `${from} is dead; what had not been copied is sent to the new region when ${from} comes back`;
}

function showFinish({ to, epoch, probe }: FinishReport): void {
  print(`${to} is active, epoch ${epoch}; the failover that was cut short is finished`);
  print(`${probe.orders} probe orders (${outcomes(probe.outcomes)})`);
}

function outcomes(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(', ');
}
