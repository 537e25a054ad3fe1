// The kinds of faults, and the plan of a run by its seed. main.ts makes the plan, injector.ts carries it out.

import { createRandom, pick, type Random } from '../traffic/random.ts';
import { brokers, type Zone, zones } from './topology.ts';
import { apiKeys, type RequestKind } from './wire/frames.ts';
import type { HowLost } from './wire/losses.ts';

/** The processes that a fault can hit, by name. The gateway and the display are alone, every worker has a twin. */
export const workers = [
  'order-validator-1',
  'order-validator-2',
  'payment-1',
  'payment-2',
  'kitchen-1',
  'kitchen-2',
] as const;
export type WorkerName = (typeof workers)[number];
export type ProcessName = WorkerName | 'gateway' | 'display';

export const workerKinds = ['order-validator', 'payment', 'kitchen'] as const;
/** A role, and its consumer group. */
export type WorkerKind = (typeof workerKinds)[number];
/** The first of each pair of workers is in the one, the second in the other. */
export const workerZones = ['workers-1', 'workers-2'] as const;
export type WorkerZone = (typeof workerZones)[number];

/** One fault. `forMs` is how long it lasts before it is mended; the next of its lane comes after that. */
export type Fault =
  | { kind: 'kill-process'; target: ProcessName; forMs: number }
  | { kind: 'stop-process'; target: ProcessName; forMs: number }
  /** Members join a role's group and leave it, each after its time in `stayMs`. */
  | { kind: 'rebalance-storm'; target: WorkerKind; stayMs: number[] }
  | { kind: 'kill-broker'; target: number; forMs: number }
  | { kind: 'stop-broker'; target: number | CoordinatorOf; forMs: number }
  /** Every partition gets another preferred leader, and the preferred ones are elected. */
  | { kind: 'leader-bounce'; target: 'all partitions'; rotation: number }
  | { kind: 'rolling-restart'; target: 'all brokers'; order: number[] }
  /** A network cut between one zone and one server: connections are refused, or a black hole takes what is sent. */
  | { kind: 'network-cut'; target: Link; how: 'refused' | 'black hole'; forMs: number }
  | { kind: 'network-latency'; target: Link[]; latencyMs: number; jitterMs: number; forMs: number }
  | { kind: 'restart-database'; target: 'database'; how: 'fast' | 'immediate'; forMs: number }
  /** The broker does as it is asked, and its answer does not reach the client. */
  | { kind: 'lost-answer'; target: Asker; request: RequestKind; lost: HowLost; visit?: Visit };

/** The broker that coordinates a role's group when the fault begins. */
export interface CoordinatorOf {
  coordinatorOf: WorkerKind;
}

/** The processes of a role in a zone: one, and a visitor at times. */
export interface Asker {
  zone: WorkerZone;
  group: WorkerKind;
}

/** One more member joins and leaves, for requests that come in a rebalance only; the answer is lost while it joins, or leaves. */
export interface Visit {
  /** Where its own requests are those that are not answered; elsewhere no proxy stands before it. */
  zone?: WorkerZone;
  loseWhile: 'it joins' | 'it leaves';
}

/** The network between the processes of a zone and a server. */
export interface Link {
  zone: Zone;
  server: number | 'database';
}

export interface PlannedFault {
  /** From the beginning of the chaos, in milliseconds; later when the lane's fault before lasts longer than planned. */
  atMs: number;
  fault: Fault;
}

/** Faults of different lanes overlap; those of one lane come one after the other, so that a majority of the brokers is always there. */
export const lanes = ['processes', 'brokers', 'network', 'database', 'answers'] as const;
export type Lane = (typeof lanes)[number];
export type Plan = Record<Lane, PlannedFault[]>;

/** Longer than a member's session at its group's coordinator (10 s) and a broker's at the controller (6 s). */
const PAST_SESSION_MS = [11_500, 15_000] as const;
/** Longer than any client waits for an answer (10 s), twice. */
const PAST_REQUESTS_MS = [20_000, 28_000] as const;
/** Shorter than the session timeout: the group keeps the member, while its work stands still. */
const WITHIN_SESSION_MS = [3_000, 6_000] as const;

/** A visitor joins, stays and leaves within about that. */
const VISIT_MS = 3_000;

/** The faults of a run. The same seed gives the same plan. Every kind comes at least once. */
export function makePlan(seed: number): Plan {
  const random = createRandom(seed);
  return {
    processes: lane(random, processFaults(random), [500, 3_000]),
    brokers: lane(random, brokerFaults(random), [500, 3_000]),
    network: lane(random, networkFaults(random), [2_000, 7_000]),
    database: lane(random, databaseFaults(random), [20_000, 35_000]),
    answers: lane(random, lostAnswers(random), [500, 2_500]),
  };
}

/** The same faults of some lanes only. */
export function onlyLanes(plan: Plan, chosen: readonly Lane[]): Plan {
  const none: Plan = { processes: [], brokers: [], network: [], database: [], answers: [] };
  return { ...none, ...Object.fromEntries(chosen.map((name) => [name, plan[name]])) };
}

export function countFaults(plan: Plan): number {
  return lanes.reduce((sum, name) => sum + plan[name].length, 0);
}

function processFaults(random: Random): Fault[] {
  const kill = (target: ProcessName): Fault => ({
    kind: 'kill-process',
    target,
    forMs: random.chance(0.5) ? 250 : between(random, [4_000, 12_000]),
  });
  const stop = (target: ProcessName, range: readonly [number, number]): Fault => ({
    kind: 'stop-process',
    target,
    forMs: between(random, range),
  });
  const hit = shuffled(random, workers);
  return shuffled(random, [
    kill(hit[0] ?? workers[0]),
    kill(hit[1] ?? workers[0]),
    kill(random.chance(0.7) ? 'gateway' : 'display'),
    stop(hit[2] ?? workers[0], PAST_SESSION_MS),
    stop(hit[3] ?? workers[0], PAST_SESSION_MS),
    stop(random.chance(0.7) ? pick(random, workers) : 'gateway', WITHIN_SESSION_MS),
    {
      kind: 'rebalance-storm',
      target: pick(random, workerKinds),
      stayMs: [0, 1, 2].map(() => between(random, [500, 3_500])),
    },
  ]);
}

function brokerFaults(random: Random): Fault[] {
  return shuffled<Fault>(random, [
    { kind: 'kill-broker', target: pick(random, brokers), forMs: between(random, [1_000, 6_000]) },
    {
      kind: 'stop-broker',
      target: random.chance(0.5) ? pick(random, brokers) : { coordinatorOf: pick(random, workerKinds) },
      forMs: between(random, PAST_REQUESTS_MS),
    },
    { kind: 'leader-bounce', target: 'all partitions', rotation: 1 + random.integer(2) },
    { kind: 'rolling-restart', target: 'all brokers', order: shuffled(random, brokers) },
  ]);
}

function networkFaults(random: Random): Fault[] {
  const link = (): Link => ({ zone: pick(random, zones), server: pick(random, [...brokers, 'database'] as const) });
  const cut = (how: 'refused' | 'black hole'): Fault => ({
    kind: 'network-cut',
    target: link(),
    how,
    forMs: between(random, [3_000, 13_000]),
  });
  const slow = (): Fault => {
    const zone = pick(random, zones);
    const all: Link[] = [...brokers, 'database' as const].map((server) => ({ zone, server }));
    return {
      kind: 'network-latency',
      target: random.chance(0.5) ? all : [pick(random, all)],
      latencyMs: between(random, [50, 500]),
      jitterMs: between(random, [0, 50]),
      forMs: between(random, [6_000, 12_000]),
    };
  };
  return shuffled(random, [
    cut('refused'),
    cut('black hole'),
    cut(random.chance(0.5) ? 'refused' : 'black hole'),
    slow(),
    slow(),
  ]);
}

function databaseFaults(random: Random): Fault[] {
  const restart = (how: 'fast' | 'immediate'): Fault => ({
    kind: 'restart-database',
    target: 'database',
    how,
    forMs: between(random, [500, 7_000]),
  });
  return shuffled(random, [restart('fast'), restart('immediate')]);
}

/** Every kind of request once, and SyncGroup in every way: what it answers is told only once. */
function lostAnswers(random: Random): Fault[] {
  const ways: readonly HowLost['how'][] = ['closed', 'swallowed', 'late'];
  const lose = (request: RequestKind, how: HowLost['how']): Fault => {
    const zone = pick(random, workerZones);
    const visit = visitFor(request, zone);
    return {
      kind: 'lost-answer',
      target: { zone, group: pick(random, workerKinds) },
      request,
      lost: how === 'late' ? { how, lateMs: between(random, PAST_SESSION_MS) } : { how },
      ...(visit === undefined ? {} : { visit }),
    };
  };
  const others = (Object.keys(apiKeys) as RequestKind[]).filter((request) => request !== 'SyncGroup');
  return shuffled(random, [
    ...ways.map((how) => lose('SyncGroup', how)),
    // Few late ones: each holds up the lane for longer than a session.
    ...shuffled(random, others).map((request, index) =>
      lose(request, index < 2 ? 'late' : pick(random, ['closed', 'swallowed'])),
    ),
  ]);
}

/** What makes the request come soon. The other requests come all the time. */
function visitFor(request: RequestKind, zone: WorkerZone): Visit | undefined {
  switch (request) {
    // The member that was there before joins again. When the visitor has left, no other rebalance heals what this one has broken.
    case 'JoinGroup':
    case 'SyncGroup':
    case 'OffsetFetch':
      return { loseWhile: 'it leaves' };
    // These are the visitor's own.
    case 'Metadata':
    case 'FindCoordinator':
      return { zone, loseWhile: 'it joins' };
    case 'LeaveGroup':
      return { zone, loseWhile: 'it leaves' };
    default:
      return undefined;
  }
}

/** Puts faults one after the other, with pauses between them. */
function lane(random: Random, faults: Fault[], pause: readonly [number, number]): PlannedFault[] {
  let atMs = 0;
  return faults.map((fault) => {
    atMs += between(random, pause);
    const planned = { atMs, fault };
    atMs += durationOf(fault);
    return planned;
  });
}

function durationOf(fault: Fault): number {
  switch (fault.kind) {
    case 'rebalance-storm':
      return fault.stayMs.reduce((sum, ms) => sum + ms, 0);
    case 'leader-bounce':
    case 'rolling-restart':
      return 0;
    case 'lost-answer':
      return (fault.visit === undefined ? 0 : VISIT_MS) + (fault.lost.how === 'late' ? fault.lost.lateMs : 0);
    default:
      return fault.forMs;
  }
}

function between(random: Random, [from, to]: readonly [number, number]): number {
  return from + random.integer(to - from + 1);
}

function shuffled<T>(random: Random, values: readonly T[]): T[] {
  const rest = [...values];
  const order: T[] = [];
  while (rest.length > 0) order.push(...rest.splice(random.integer(rest.length), 1));
  return order;
}
