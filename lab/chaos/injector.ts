// Carries out the faults of a plan. Called by main.ts.

import { setTimeout as delay } from 'node:timers/promises';
import { subscriptions } from '../../contracts/topics.ts';
import { type Fault, type Lane, type Link, lanes, type Plan } from './plan.ts';
import type { Subjects } from './subjects.ts';
import { proxyName } from './topology.ts';
import { visitGroup } from './visitor.ts';
import type { HowLost } from './wire/losses.ts';

export interface InjectorOptions {
  plan: Plan;
  subjects: Subjects;
  say(line: string): void;
  signal: AbortSignal;
}

/** A request comes within that, also when a broker is away for a while. */
const REQUEST_MS_MAX = 15_000;
/** The others have that long to ask before the visitor leaves. */
const STAY_MS = 1_000;

export interface Injected {
  faults: number;
  /** Those of them that were lost answers. */
  lostAnswers: number;
}

/**
 * Carries out a plan: each lane one fault after the other, all lanes at once. A fault that is over is mended before the next of its lane begins.
 */
export async function inject({ plan, subjects, say, signal }: InjectorOptions): Promise<Injected> {
  const startedAt = performance.now();
  const wait = (ms: number) => delay(Math.max(0, ms), undefined, { signal });
  const injected: Injected = { faults: 0, lostAnswers: 0 };
  const run = async (lane: Lane) => {
    for (const { atMs, fault } of plan[lane]) {
      await wait(startedAt + atMs - performance.now());
      say(`fault   ${describe(fault)}`);
      try {
        await carryOut(fault, subjects, wait);
        injected.faults++;
        if (fault.kind === 'lost-answer') injected.lostAnswers++;
        say(`mended  ${fault.kind} ${nameOf(fault)}`);
      } catch (error) {
        if (signal.aborted) throw error;
        say(`skipped ${fault.kind} ${nameOf(fault)}: ${(error as Error).message}`);
      }
    }
  };
  await Promise.all(lanes.map(run));
  return injected;
}

async function carryOut(fault: Fault, subjects: Subjects, wait: (ms: number) => Promise<void>): Promise<void> {
  const { processes, database, network } = subjects;
  switch (fault.kind) {
    case 'kill-process':
      processes.kill(fault.target, fault.forMs);
      return wait(fault.forMs);
    case 'stop-process':
      if (!processes.freeze(fault.target)) throw new Error('it is not running just now');
      await wait(fault.forMs);
      return processes.thaw(fault.target);
    case 'rebalance-storm':
      for (const stayMs of fault.stayMs) await processes.visit(fault.target, stayMs, wait);
      return;
    case 'kill-broker': {
      const node = subjects.node(fault.target);
      await node.end('SIGKILL');
      await wait(fault.forMs);
      await node.start();
      return subjects.replicated(wait);
    }
    case 'stop-broker': {
      const { target } = fault;
      const node = subjects.node(
        typeof target === 'number' ? target : await subjects.coordinatorOf(target.coordinatorOf),
      );
      node.freeze();
      await wait(fault.forMs);
      node.thaw();
      return subjects.replicated(wait);
    }
    case 'leader-bounce':
      return subjects.bounceLeaders(fault.rotation);
    case 'rolling-restart':
      for (const id of fault.order) {
        await subjects.node(id).end('SIGTERM');
        await subjects.node(id).start();
        await subjects.replicated(wait);
      }
      return;
    case 'network-cut': {
      const proxy = proxyName(fault.target.zone, fault.target.server);
      if (fault.how === 'refused') await network.switch(proxy, false);
      else await network.poison(proxy, { type: 'timeout', attributes: { timeout: 0 } });
      await wait(fault.forMs);
      return network.reset();
    }
    case 'network-latency': {
      const proxies = fault.target.map(({ zone, server }) => proxyName(zone, server));
      const attributes = { latency: fault.latencyMs, jitter: fault.jitterMs };
      for (const proxy of proxies) await network.poison(proxy, { type: 'latency', attributes });
      await wait(fault.forMs);
      return network.reset();
    }
    case 'restart-database':
      await database.stop(fault.how);
      await wait(fault.forMs);
      return database.start();
    case 'lost-answer':
      return loseAnswer(fault, subjects, wait);
  }
}

/** @throws when no such request came: nothing was lost */
async function loseAnswer(
  { target: { zone, group }, request, lost, visit }: Extract<Fault, { kind: 'lost-answer' }>,
  { wires, clusterOf }: Subjects,
  wait: (ms: number) => Promise<void>,
): Promise<void> {
  const wire = wires[zone];
  const arm = () => wire.lose({ request, client: group, lost });
  let loss = visit?.loseWhile === 'it leaves' ? undefined : arm();
  try {
    if (visit !== undefined) {
      const visitor = { group, topic: topicOf(group), cluster: clusterOf(visit.zone) };
      await visitGroup(visitor, async (joined) => {
        await Promise.race([joined, wait(REQUEST_MS_MAX)]);
        await wait(STAY_MS);
        loss ??= arm();
      }).catch((error: unknown) => {
        // The visitor may be the one that got no answer.
        if (loss?.isClaimed !== true) throw error;
      });
    }
    loss ??= arm();
    await Promise.race([loss.met, wait(REQUEST_MS_MAX)]);
    if (!loss.isClaimed) throw new Error(`no ${request} came within ${seconds(REQUEST_MS_MAX)}`);
    // The request is out; a broker that is stopped answers when it is woken.
    await loss.met;
  } finally {
    if (loss !== undefined) wire.disarm(loss);
  }
}

function topicOf(group: string): string {
  const subscription = subscriptions.find((each) => each.group === group);
  if (subscription === undefined) throw new Error(`${group} reads no topic`);
  return subscription.topic;
}

/** A fault as an operator reads it. */
export function describe(fault: Fault): string {
  const of = `${fault.kind} ${nameOf(fault)}`;
  switch (fault.kind) {
    case 'rebalance-storm':
      return `${of}: ${fault.stayMs.length} members join and leave`;
    case 'leader-bounce':
      return of;
    case 'rolling-restart':
      return `${of}: ${fault.order.join(', ')}`;
    case 'network-latency':
      return `${of}: ${fault.latencyMs} ± ${fault.jitterMs} ms for ${seconds(fault.forMs)}`;
    case 'network-cut':
    case 'restart-database':
      return `${of} (${fault.how}) for ${seconds(fault.forMs)}`;
    case 'lost-answer':
      return `${of} (${wayOf(fault.lost)})${fault.visit === undefined ? '' : '; one more member comes and goes'}`;
    default:
      return `${of} for ${seconds(fault.forMs)}`;
  }
}

function nameOf(fault: Fault): string {
  const link = ({ zone, server }: Link) => `${zone} ↔ ${server === 'database' ? server : `broker ${server}`}`;
  switch (fault.kind) {
    case 'network-cut':
      return link(fault.target);
    case 'network-latency':
      return fault.target.length === 1 ? fault.target.map(link).join() : `${fault.target[0]?.zone} ↔ every server`;
    case 'kill-broker':
      return `broker ${fault.target}`;
    case 'stop-broker':
      return typeof fault.target === 'number'
        ? `broker ${fault.target}`
        : `the coordinator of ${fault.target.coordinatorOf}`;
    case 'lost-answer':
      return `to ${fault.request} of ${fault.target.group} in ${fault.target.zone}`;
    default:
      return fault.target;
  }
}

function wayOf(lost: HowLost): string {
  switch (lost.how) {
    case 'closed':
      return 'its connection is closed instead';
    case 'swallowed':
      return 'it never comes';
    case 'late':
      return `it comes ${seconds(lost.lateMs)} later`;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
