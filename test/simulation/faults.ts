import { groupRequests, type ModelGroup } from './model-group.ts';
import type { ModelStore } from './model-store.ts';
import type { Network } from './network.ts';
import type { WorkerProcess } from './worker-process.ts';
import type { World } from './world.ts';

/** The parts of a simulation that faults act on. */
export interface Targets {
  world: World;
  workers: readonly WorkerProcess[];
  group: ModelGroup;
  store: ModelStore;
  networks: { broker: Network; database: Network; provider: Network };
}

const faults = {
  kill: ({ workers, world }: Targets) => {
    const worker = world.random.pick(workers);
    worker.kill();
    restartLater(world, worker);
  },
  end: ({ workers, world }: Targets) => world.random.pick(workers).end(),
  stop: ({ workers, world }: Targets) => {
    const worker = world.random.pick(workers);
    worker.stop();
    world.schedule(world.random.next() * 15_000, () => worker.goOn());
  },
  stopThread: ({ workers, world }: Targets) => {
    const threads = workers.flatMap((worker) => worker.threads);
    if (threads.length === 0) return;
    const thread = world.random.pick(threads);
    world.log(thread.name, 'is stopped');
    thread.stop();
    world.schedule(world.random.next() * 8_000, () => {
      world.log(thread.name, 'goes on');
      thread.goOn();
    });
  },
  killThread: ({ workers, world }: Targets) => world.random.pick(workers).failThread(false),
  abandonThread: ({ workers, world }: Targets) => world.random.pick(workers).failThread(true),
  crashClient: ({ workers, world }: Targets) => world.random.pick(workers).crashClient(),
  hangClient: ({ workers, world }: Targets) => world.random.pick(workers).hangClient(),
  loseAnswer: ({ group, world }: Targets) =>
    group.loseAnswer(world.random.pick(groupRequests), world.random.pick(['connection closed', 'never answered'])),
  forgetMember: ({ group }: Targets) => group.forgetOne(),
  rebalance: ({ group }: Targets) => group.shake(),
  brokerDown: (targets: Targets) => outage(targets, 'broker'),
  databaseDown: (targets: Targets) => outage(targets, 'database'),
  providerDown: (targets: Targets) => outage(targets, 'provider'),
} satisfies Record<string, (targets: Targets) => void>;

export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as FaultName[];

function restartLater(world: World, worker: WorkerProcess): void {
  world.schedule(world.random.next() * 8_000, () => {
    if (!worker.running) worker.start();
  });
}

function outage({ world, networks }: Targets, name: keyof Targets['networks']): void {
  const { weather } = networks[name];
  world.log(name, 'is down');
  weather.down = true;
  world.schedule(world.random.next() * 10_000, () => {
    world.log(name, 'is up');
    weather.down = false;
  });
}

/** One of the faults, every `meanMs` on average, until it is stopped. */
export function injectFaults(targets: Targets, enabled: readonly FaultName[], meanMs: number): () => void {
  let stopped = false;
  const { world } = targets;
  const next = () =>
    world.schedule(world.random.next() * 2 * meanMs, () => {
      if (stopped) return;
      const name = world.random.pick(enabled);
      world.log('fault', name);
      faults[name](targets);
      next();
    });
  if (enabled.length > 0) next();
  return () => {
    stopped = true;
  };
}

/** Ends all faults: everything works from now on. */
export function heal({ world, workers, networks, store }: Targets): void {
  world.log('fault', 'none any more');
  for (const { weather } of Object.values(networks)) Object.assign(weather, { down: false, loss: 0, stalls: 0 });
  store.conflicts = 0;
  for (const worker of workers) {
    worker.goOn();
    for (const thread of worker.threads) thread.goOn();
    if (!worker.running) worker.start();
  }
}
