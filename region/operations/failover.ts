// Moves the mesh to the other region, or finishes a move that was cut short. Called by `ordermesh region failover` and `failback`.

import { UsageError } from '../../contracts/failure.ts';
import { newestState, type RegionState } from '../region-state.ts';
import type { Regions } from '../regions.ts';
import { type ChangeOver, type ChangeOverReport, changeOver } from './change-over.ts';
import { type FinishReport, type Flip, finish } from './finish.ts';
import { lookAtBoth, type SeenRegion } from './pair.ts';

/** What an operator asks for. */
export interface Failover
  extends Omit<Flip, 'to'>,
    Pick<ChangeOver, 'waitMs' | 'acceptLoss' | 'databaseAsItIs' | 'scanMs'> {
  regions: Regions;
  /** Name of the region that is to take over; by default the passive one, or the one that an unfinished failover was going to. */
  to: string | undefined;
  /** The active region does not answer and must not come back by itself. */
  oldRegionIsDead: boolean;
}

export type FailoverOutcome =
  | { kind: 'active already'; report: { to: string; epoch: number } }
  /** A failover that was cut short needed only its last steps. */
  | { kind: 'finished'; report: FinishReport }
  | { kind: 'moved'; report: ChangeOverReport };

/** Looks at both regions and does what is left to do until the region that is asked for is the active one. */
export async function failover(options: Failover): Promise<FailoverOutcome> {
  const { regions, to } = options;
  const seen = await lookAtBoth(regions);
  const state = newestState(seen.map(({ records }) => records));
  if (state === undefined)
    throw new UsageError(
      `neither region says which one is active: ${seen.map(({ addresses, reason }) => `${addresses.name}: ${reason ?? 'no state; run `ordermesh region init`'}`).join('; ')}`,
    );
  const active = seen.find(({ addresses }) => addresses.name === state.active);
  if (active?.records === undefined || !isThere(state, to))
    return { kind: 'moved', report: await move(options, seen, state) };
  if (state.unfinished === undefined)
    return { kind: 'active already', report: { to: active.addresses.name, epoch: state.epoch } };
  const from = seen.find((region) => region !== active && region.records !== undefined)?.addresses;
  return { kind: 'finished', report: await finish({ ...options, to: active.addresses }, { state, from }) };
}

/** Whether the region that this command would make active is active already: at most the name and the probe orders are left. */
function isThere({ active, unfinished }: RegionState, to: string | undefined): boolean {
  return to === undefined ? unfinished !== undefined : to === active;
}

async function move(options: Failover, seen: readonly SeenRegion[], state: RegionState): Promise<ChangeOverReport> {
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
    options.say(`${old.addresses.name} answers, so it is fenced and waited for`);
  return changeOver({
    ...options,
    from: old.addresses,
    to: next.addresses,
    state,
    alive: old.records !== undefined,
  });
}
