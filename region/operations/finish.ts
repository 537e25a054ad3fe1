// The last two steps of a failover: the mesh's name and the probe orders. Called by change-over.ts and failover.ts.

import { topics } from '../../contracts/topics.ts';
import { topicRanges } from '../divergence.ts';
import { flipName } from '../dns/flip.ts';
import { type ProbeReport, probe } from '../probe.ts';
import type { RegionState } from '../region-state.ts';
import type { RegionAddresses, Regions } from '../regions.ts';
import { Epochs } from './epochs.ts';
import { Steps } from './steps.ts';

/** What the last two steps of a failover need. */
export interface Flip {
  regions: Regions;
  to: RegionAddresses;
  /** An order without orderId and placedAt. */
  probeOrder: Readonly<Record<string, unknown>>;
  token: string | undefined;
  probeMs: number;
  say(line: string): void;
}

/**
 * Points the mesh's name to the region that is active now, and sends probe orders to prove it. Until both are done the state says that the failover is
 * unfinished, so that a repeat of the command does these two steps and does not move back to the other region.
 */
export async function flipAndProbe(
  { regions, to, probeOrder: order, token, probeMs: msMax }: Flip,
  { epochs, steps }: { epochs: Epochs; steps: Steps },
): Promise<ProbeReport> {
  const { dns, ttlSeconds, publicUrl } = regions;
  const name = publicUrl.hostname;
  try {
    const partitions = (await topicRanges(to.cluster)).filter(({ topic }) => topic === topics.rawOrders).length;
    await steps.do(`${name} leads to ${to.address}`, () => flipName(dns, { name, address: to.address, ttlSeconds }));
    const probed = await steps.do('probe orders are worked off', () =>
      probe({ regions, address: to.address, region: to.name, order, token, partitions, msMax }),
    );
    const { epoch: _epoch, since: _since, unfinished: _unfinished, ...rest } = epochs.state;
    await epochs.enter(rest);
    return probed;
  } catch (error) {
    throw new Error(
      `${(error as Error).message}; ${to.name} is active. The same command again, or with --to ${to.name}, does only what is left: the name and the probe orders`,
      { cause: error },
    );
  }
}

export interface FinishReport {
  to: string;
  epoch: number;
  probe: ProbeReport;
  stepsMs: Record<string, number>;
}

/** Finishes a failover that was cut short after the new region had become active. */
export async function finish(
  flip: Flip,
  { state, from }: { state: RegionState; from: RegionAddresses | undefined },
): Promise<FinishReport> {
  const { to, say } = flip;
  const epochs = new Epochs({ to, from, state, say });
  const steps = new Steps(say);
  say(`${to.name} is active already; the failover to it goes on with the name`);
  const probed = await flipAndProbe(flip, { epochs, steps });
  return { to: to.name, epoch: epochs.state.epoch, probe: probed, stepsMs: steps.tookMs };
}
