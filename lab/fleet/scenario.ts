// What is done to the fleet under load. Called by main.ts.

import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../stack/system/index.ts';
import type { Fleet } from './fleet.ts';
import type { Progress } from './progress.ts';
import type { Tills } from './tills.ts';
import { addedWorkers, brokers, gateways, type HostPlan, workers } from './topology.ts';

/** Longer than the session of a group member (10 s) and of a broker (6 s), and than the 15 s after which a member starts afresh. */
const CUT_MS = 25_000;
/** Between a change and its undoing, where the change alone shows something. */
const ALONE_MS = 5_000;
/** After each change everything must flow again within this time; on a machine that does nothing else it takes some seconds. */
const FLOWS_MS_MAX = 150_000;
const TAKEN_MS_MAX = 90_000;
/** Orders that the gateways must take after each change before the next one. */
const TAKEN_ORDERS = 200;

interface Step {
  says: string;
  change(fleet: Fleet): Promise<void>;
}

const [firstWorkers, secondWorkers, thirdWorkers] = workers as [HostPlan, HostPlan, HostPlan];
const secondBroker = brokers[1] as HostPlan;
const firstGateway = gateways[0] as HostPlan;

const steps: readonly Step[] = [
  {
    says: 'a fourth host of workers is added',
    change: (fleet) => fleet.boot(addedWorkers),
  },
  {
    says: 'the first host of workers is taken away in good order',
    change: (fleet) => fleet.host(firstWorkers).shutDown(),
  },
  {
    says: 'the second host of workers has a power failure',
    change: (fleet) => fleet.host(secondWorkers).powerOff(),
  },
  {
    says: 'a new machine takes the place of the second host of workers, with an empty disk',
    async change(fleet) {
      await fleet.host(secondWorkers).replaceDisk();
      await fleet.boot(secondWorkers);
    },
  },
  {
    says: `the third host of workers is cut off for ${CUT_MS / 1_000} s; what runs there goes on alone`,
    change: (fleet) => cutOff(fleet, thirdWorkers),
  },
  {
    says: `the second broker is cut off for ${CUT_MS / 1_000} s`,
    change: (fleet) => cutOff(fleet, secondBroker),
  },
  {
    says: 'the first gateway has a power failure; its tills go to the second one',
    change: (fleet) => fleet.host(firstGateway).powerOff(),
  },
  {
    says: 'the first gateway is switched on again',
    change: (fleet) => fleet.boot(firstGateway),
  },
];

async function cutOff(fleet: Fleet, plan: HostPlan): Promise<void> {
  const host = fleet.host(plan);
  await host.cutOff();
  await delay(CUT_MS);
  await host.plugIn();
}

/**
 * Changes the fleet step by step while orders come. After each step the gateways must take orders and every partition of every role must
 * move. @returns how many steps were not survived in time
 */
export async function changeFleet(
  fleet: Fleet,
  tills: Tills,
  progress: Progress,
  say: (line: string) => void,
): Promise<number> {
  let stood = 0;
  for (const { says, change } of steps) {
    say(says);
    await change(fleet);
    await delay(ALONE_MS);
    const before = await progress.now();
    const taken = tills.promised.size;
    const takes = await until(TAKEN_MS_MAX, async () => tills.promised.size >= taken + TAKEN_ORDERS);
    const left = await progress.flows(before, FLOWS_MS_MAX);
    if (!takes) say(`VIOLATION only ${tills.promised.size - taken} orders were taken in ${TAKEN_MS_MAX / 1_000} s`);
    if (left !== undefined)
      say(`VIOLATION after ${FLOWS_MS_MAX / 1_000} s this still stands or is far behind: ${left}`);
    if (!takes || left !== undefined) stood++;
    else say(`    orders flow; ${tills.promised.size} accepted so far`);
  }
  return stood;
}
