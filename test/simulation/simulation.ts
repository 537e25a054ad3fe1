import { createHash } from 'node:crypto';
import { OutageError } from '../../runtime/actor.ts';
import { heal, injectFaults, type Targets } from './faults.ts';
import { History } from './history.ts';
import { ModelGroup } from './model-group.ts';
import { ModelLog } from './model-log.ts';
import { Operator } from './model-operator.ts';
import { ModelStore } from './model-store.ts';
import { type Mutant, unchanged } from './mutants.ts';
import { Network } from './network.ts';
import { OrderSource } from './orders.ts';
import { Random } from './random.ts';
import { type Scenario, scenarioOf } from './scenario.ts';
import { WorkerProcess } from './worker-process.ts';
import { World } from './world.ts';

/** After the last fault everything must be finished within this virtual time: sessions time out, back-offs end, slow keys finish. */
const RECOVERY_MS_MAX = 600_000;
const WATCH_MS = 1_000;

export interface SimulationResult {
  seed: number;
  /** The invariant that was violated, and where; undefined if all held. */
  violation: string | undefined;
  /** SHA-256 of the trace: the same for the same seed and code. */
  traceHash: string;
  /** Virtual time. */
  elapsedMs: number;
}

export interface SimulationOptions {
  mutant?: Mutant;
  /** Gets the trace, line by line. */
  listen?: (line: string) => void;
}

/** Runs the seed's scenario to its end, or to the first violated invariant. */
export async function simulate(
  seed: number,
  { mutant = unchanged, listen }: SimulationOptions = {},
): Promise<SimulationResult> {
  const scenario = scenarioOf(seed);
  const hash = createHash('sha256');
  const world = new World(new Random(seed + 2 ** 32), (line) => {
    hash.update(line);
    listen?.(line);
  });
  const history = new History(scenario.shape, scenario.partitions, scenario.database);
  const onRejection = (error: unknown) => history.violate('no promise is left to fail', String(error));
  process.on('unhandledRejection', onRejection);
  try {
    await run(scenario, world, history, mutant);
  } catch (error) {
    history.violate(
      'no code throws outside its calls',
      error instanceof Error ? (error.stack ?? error.message) : String(error),
    );
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  if (history.violation !== undefined) world.log('oracle', history.violation);
  return { seed, violation: history.violation, traceHash: hash.digest('hex'), elapsedMs: world.now };
}

async function run(scenario: Scenario, world: World, history: History, mutant: Mutant): Promise<void> {
  const { shape, partitions, limits, slots, batchRecordsMax, database } = scenario;
  const log = new ModelLog(world, history, partitions);
  const store = new ModelStore(world, history, mutant.fencing ?? true, mutant.replayFlaw);
  const group = new ModelGroup(world, log.network, history, partitions);
  const provider = new Network(world, () => new OutageError('the modelled provider is away'));
  const actor = { history, store, provider, shape, failuresLeft: new Map(), preparesMax: limits.slot.preparesMax };
  let { startFailures } = scenario;
  const surroundings = { world, history, log, group, store, actor, limits, slots, batchRecordsMax, database, mutant };
  const workers = Array.from(
    { length: scenario.workers },
    (_, index) => new WorkerProcess(`w${index}`, { ...surroundings, startFailures: () => startFailures }),
  );
  const networks = { broker: log.network, database: store.network, provider };
  const targets: Targets = { world, workers, group, store, networks };
  for (const { weather } of Object.values(networks))
    Object.assign(weather, { loss: scenario.loss, stalls: scenario.stalls });
  store.conflicts = scenario.conflicts;
  plan(scenario, world, log, workers);
  const operator = scenario.operator && new Operator(world, history, store.deadLetters, scenario.operator);
  operator?.start();
  const stopFaults = injectFaults(targets, scenario.faults, scenario.faultMeanMs);
  await world.run(() => history.violation !== undefined, scenario.activeMs);
  stopFaults();
  startFailures = 0;
  heal(targets);
  watchProgress(world, history);
  operator?.finish();
  const { deadLetters } = store;
  const complete = () =>
    history.complete &&
    deadLetters.idle &&
    !(history.repaired && deadLetters.parkedKeys > 0) &&
    workers.every(({ running, unready }) => running && unready === undefined);
  await world.run(() => history.violation !== undefined || complete(), world.now + RECOVERY_MS_MAX);
  if (history.violation === undefined && !complete()) for (const worker of workers) worker.explain();
  history.close();
  for (const { name, running, unready } of workers)
    if (!running || unready !== undefined) history.violate('ready again', `${name}: ${unready ?? 'not running'}`);
  if (!deadLetters.idle) history.violate('everything finishes', 'a replay is not over');
}

/** Checks from now on that each partition moves. */
function watchProgress(world: World, history: History): void {
  const healedAt = world.now;
  const watch = () => {
    history.watch(world.now, healedAt);
    world.schedule(WATCH_MS, watch);
  };
  watch();
}

/** When orders arrive and workers start. */
function plan(scenario: Scenario, world: World, log: ModelLog, workers: readonly WorkerProcess[]): void {
  const { random } = world;
  const source = new OrderSource({ ...scenario, random });
  const times = Array.from({ length: scenario.orders }, () => random.next() * scenario.activeMs).sort((a, b) => a - b);
  for (const time of times) world.schedule(time, () => log.receive(source.next()));
  for (const [index, worker] of workers.entries()) {
    const delayMs = index === 0 ? 0 : random.next() * scenario.activeMs;
    world.schedule(delayMs, () => {
      if (!worker.running) worker.start();
    });
  }
}
