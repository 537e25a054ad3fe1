// Goes through the rounds: quiet, a case, what it held back, quiet, the next case. Called by main.ts.

import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectedConfig } from '../../contracts/config/config.ts';
import type { Admin } from '../../kafka/index.ts';
import { type Case, cases } from './cases.ts';
import type { Cloud } from './cloud.ts';
import { type Drain, drain, drainedAfter, leftText } from './drain.ts';
import type { Load } from './load.ts';
import { figuresOf, type Round } from './measure.ts';
import type { Sampler } from './sampler.ts';
import { mebibytes } from './verdict.ts';

/** The first rounds' worth of time, in which every process and the broker compile their hot paths, is not counted. */
const WARM_UP_ROUNDS = 2;
const DRAIN_S_MAX = 300;

export interface Scene {
  admin: Admin;
  cloud: Cloud;
  config: ConnectedConfig;
  load: Load;
  sampler: Sampler;
  /** Length of a round. */
  seconds: number;
  say(line: string): void;
}

/** @throws when orders do not come through the whole mesh before anything is broken */
export async function playRounds(plan: readonly string[], scene: Scene): Promise<Round[]> {
  const { seconds, say } = scene;
  const rounds: Round[] = [];
  say(`warming up for ${WARM_UP_ROUNDS * seconds} s`);
  await delay(WARM_UP_ROUNDS * seconds * 1_000);
  /** When the last drain began: what is older has been asked for. */
  let askedFrom = 0;
  const drainAll = async () => {
    const sinceMs = askedFrom;
    askedFrom = Date.now();
    return drain({ ...scene, sinceMs, secondsMax: DRAIN_S_MAX });
  };
  const first = await drainAll();
  if (drainedAfter(first) === undefined) throw new Error(`nothing is broken yet, and ${behindText(first)}`);
  for (const [index, name] of plan.entries()) {
    const round = cases.find((each) => each.name === name);
    say(`round ${index + 1} of ${plan.length}: ${round?.title ?? 'quiet'}, for ${seconds} s`);
    const ended = round === undefined ? await stay(name, seconds) : await fault(round, scene, drainAll);
    rounds.push(ended);
    say(`    ${spoken(ended, scene)}`);
  }
  return rounds;
}

async function stay(name: string, seconds: number): Promise<Round> {
  const from = Date.now();
  await delay(seconds * 1_000);
  return { name, from, to: Date.now() };
}

async function fault(one: Case, { cloud, seconds, say }: Scene, drainAll: () => Promise<Drain>): Promise<Round> {
  const from = Date.now();
  await one.begin(cloud);
  await delay(seconds * 1_000);
  const to = Date.now();
  await one.end(cloud);
  const drained = await drainAll();
  const after = drainedAfter(drained);
  say(`    ${after === undefined ? `VIOLATION ${behindText(drained)}` : drainText(drained)}`);
  return { name: one.name, from, to, drainedS: after ?? null };
}

/** Tickets may still come: the figures that are judged are made at the end of the run. */
function spoken(round: Round, { load, sampler }: Scene): string {
  const figures = figuresOf(round, load.shown(), sampler.samples);
  if (figures === undefined) return 'no order of this round has become a ticket yet';
  const { p50Ms, p99Ms, tickets, bridgeLagMax, memoryMax } = figures;
  const memory = Object.entries(memoryMax).map(([role, bytes]) => `${role} ${mebibytes(bytes)}`);
  return `202 to ticket p50 ${p50Ms} ms, p99 ${p99Ms} ms of ${tickets}; bridge at most ${bridgeLagMax} records behind; ${memory.join(', ')}`;
}

function drainText(drained: Drain): string {
  const times = Object.entries(drained).map(([part, { seconds = 0 }]) => `${part} after ${seconds.toFixed(1)} s`);
  return `all that was held back is worked off: ${times.join(', ')}`;
}

function behindText(drained: Drain): string {
  return `not everything was worked off within ${DRAIN_S_MAX} s: ${leftText(drained)}`;
}
