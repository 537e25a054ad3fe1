import type { RuntimeLimits } from '../../runtime/host/host-options.ts';
import { type FaultName, faultNames } from './faults.ts';
import type { OperatorPlan } from './model-operator.ts';
import type { ActorShape } from './orders.ts';
import { Random } from './random.ts';

/** The choices that one seed makes. */
export interface Scenario {
  seed: number;
  shape: ActorShape;
  partitions: number;
  keys: number;
  orders: number;
  trouble: number;
  workers: number;
  slots: number;
  /** Virtual time in which orders arrive and faults happen. */
  activeMs: number;
  faults: FaultName[];
  faultMeanMs: number;
  loss: number;
  stalls: number;
  conflicts: number;
  startFailures: number;
  batchRecordsMax: number;
  limits: RuntimeLimits;
  operator: OperatorPlan | undefined;
  /** False only for an actor without `apply`. */
  database: boolean;
}

/** Small bounds are reached more often than large ones. Each seed has another selection of faults, so that no fault hides another. */
export function scenarioOf(seed: number): Scenario {
  const random = new Random(seed);
  const sometimes = (probability: number, value: number) => (random.chance(probability) ? value : 0);
  const messagesMax = random.integer(2, 30);
  const scenario = {
    seed,
    shape: random.pick([
      { prepare: false, apply: true },
      { prepare: true, apply: true },
      { prepare: true, apply: true },
      { prepare: true, apply: false },
      { prepare: false, apply: false },
    ]),
    partitions: random.integer(1, 4),
    keys: random.integer(1, 12),
    orders: random.integer(10, 80),
    trouble: random.pick([0, 0.1, 0.3, 0.6]),
    workers: random.integer(1, 3),
    slots: random.integer(1, 2),
    activeMs: random.integer(2_000, 30_000),
    faults: faultNames.filter(() => random.chance(0.35)),
    faultMeanMs: random.integer(500, 8_000),
    loss: sometimes(0.5, random.next() * 0.1),
    stalls: sometimes(0.3, random.next() * 0.02),
    conflicts: sometimes(0.3, random.next() * 0.2),
    startFailures: sometimes(0.3, 0.3),
    batchRecordsMax: random.integer(1, 10),
    limits: {
      partition: { messagesMax, bytesMax: random.integer(100, 3_000), windowMax: messagesMax * random.integer(1, 4) },
      slot: {
        turnSizeMax: random.integer(1, 8),
        turnsMax: random.integer(1, 3),
        preparesMax: random.integer(1, 5),
        retriesMax: 3,
        retryBackoffMs: random.integer(5, 300),
        outageBackoffMs: 50,
        outageBackoffMsMax: 2_000,
        prepareMsMax: 60_000,
        produceDeadlineMs: 1_000,
      },
      fetchIntervalMs: 0,
      commitIntervalMs: random.integer(20, 500),
      drainTimeoutMs: random.integer(200, 3_000),
      deadLettersKeptMs: 0,
    },
    operator: random.chance(0.6)
      ? { meanMs: random.integer(200, 4_000), cures: random.next(), repairs: random.chance(0.5) }
      : undefined,
  };
  const database = scenario.shape.apply || random.chance(0.5);
  // Without a draw of its own, so that earlier seeds stay what they were.
  const shape = { ...scenario.shape, atOnce: scenario.shape.prepare && seed % 7 === 0 };
  return { ...scenario, shape, database, operator: database ? scenario.operator : undefined };
}
