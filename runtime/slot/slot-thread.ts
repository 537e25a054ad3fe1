import type { MessagePort } from 'node:worker_threads';
import { createProducer, type RecordProducer } from '../../kafka/index.ts';
import { BoundedPool, parkKey, SessionPool } from '../../store/index.ts';
import { snapshot } from '../../telemetry/metrics.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { sharedNow, threadStages } from '../../telemetry/stages/stage-clock.ts';
import type { Actor } from '../actor.ts';
import { systemTimers } from '../timers.ts';
import { PackedBatch } from '../wire/batch-codec.ts';
import { Pulse } from '../wire/pulse.ts';
import type {
  DrainedPartition,
  OpenPartition,
  PartitionBatch,
  SlotOptions,
  SlotTask,
  ThreadMessage,
  Watch,
} from '../wire/slot-protocol.ts';
import type { SlotView } from '../wire/slot-view.ts';
import { SlotSuspects } from '../wire/suspects.ts';
import { createActorOf } from './actor/actor-module.ts';
import { watched } from './actor/watched-actor.ts';
import { createDeadLetterStore } from './dead-letters/dead-letter-store.ts';
import { fencedTransaction } from './fenced-transaction.ts';
import { HotKeySampler } from './hot-keys.ts';
import { registerPrepares } from './prepare/prepare-metrics.ts';
import { SlotEngine } from './slot-engine.ts';
import { createSlotMetrics, slotThread } from './slot-metrics.ts';
import { createSlotView } from './thread-view.ts';

/** The parts of the thread, from `start` on. */
interface SlotThread {
  options: SlotOptions;
  engine: SlotEngine;
  suspects: SlotSuspects;
  stop(): Promise<void>;
  metrics(): Promise<unknown>;
  hotKeys: HotKeySampler;
  view(): SlotView;
}

/** If the database takes longer than this to accept a connection, answer a call or finish a turn, it counts as down. */
const OPEN_MS_MAX = 5_000;
const ANSWER_MS_MAX = 10_000;
const TRANSACTION_MS_MAX = 30_000;

let thread: SlotThread | undefined;
const life = Promise.withResolvers<void>();

// biome-ignore lint/style/noDefaultExport: a worker entry is its module's default.
export default function slotTask(task: SlotTask): unknown {
  switch (task.kind) {
    case 'start':
      return start(task.options, task.reports, task.watch);
    case 'live':
      return life.promise;
    case 'open':
      for (const partition of task.partitions) open(started(), partition);
      return;
    case 'batches':
      takeAll(started(), task);
      return;
    case 'drain':
      return drain(started().engine, task.partitions);
    case 'close':
      for (const partition of task.partitions) started().engine.close(partition);
      return;
    case 'metrics':
      return started().metrics();
    case 'view':
      return started().view();
    case 'stop':
      return started().stop();
  }
}

function started(): SlotThread {
  if (thread === undefined) throw new Error('the slot was not started');
  return thread;
}

async function start(options: SlotOptions, reports: MessagePort, watch: Watch): Promise<void> {
  const pulse = new Pulse(watch.pulse);
  // From the first beat on, the main thread watches the thread.
  pulse.beat();
  setInterval(() => pulse.beat(), watch.beatMs).unref();
  const tell = (message: ThreadMessage) => reports.postMessage(message);
  const { registry, observer } = createSlotMetrics(options.role, options.slot);
  const suspects = new SlotSuspects(watch.suspects, tell);
  const created = await createActorOf(options, registry, watch.startMsMax);
  const actor = watched(created, { pulse, suspects, timers: systemTimers });
  const store = openStore(actor, options);
  const producer = await createProducer({
    clientId: `${options.role}-slot-${options.slot}`,
    cluster: options.cluster,
    deadlineMs: options.limits.produceDeadlineMs,
  });
  const subscription = { group: options.group, topic: options.topic };
  const engine = new SlotEngine(actor, options.group, options.limits, {
    timers: systemTimers,
    transact: async (entries) => {
      if (store === undefined || actor.apply === undefined) throw new TypeError('no apply() or no database');
      return await fencedTransaction(actor.apply.bind(actor), store.sessions, subscription, threadStages)(entries);
    },
    append: (record, done) => producer.append(record, done),
    async park({ partition, epoch, key }, parking) {
      if (store === undefined) return true;
      return await store.pool.call((database) =>
        parkKey(database, subscription, epoch, { partition, key, ...parking }),
      );
    },
    onParked: (place) => suspects.parked(place),
    ...(store === undefined ? {} : { deadLetters: createDeadLetterStore(store.pool, subscription) }),
    report: tell,
    observe: observer,
    stages: threadStages,
  });
  registerPrepares(registry, options.slot, engine);
  const hotKeys = new HotKeySampler();
  thread = {
    options,
    engine,
    suspects,
    hotKeys,
    view: createSlotView({
      thread: slotThread(options.slot),
      counts: () => engine.counts(),
      hottest: (keys) => hotKeys.top(keys),
      parked: () => engine.parked(),
    }),
    metrics: () => snapshot(registry),
    stop: () => stop(actor, producer, store),
  };
}

function openStore(actor: Actor<unknown, unknown>, { database: server, role, slot, ...options }: SlotOptions) {
  if (server !== undefined) {
    const application = `${role}-slot-${slot}`;
    return {
      // For parking, dead letters and replays. Turns use sessions of their own.
      pool: new BoundedPool({ server, connections: 2, application, answerMsMax: ANSWER_MS_MAX }),
      sessions: new SessionPool({ server, application, openMsMax: OPEN_MS_MAX, transactionMsMax: TRANSACTION_MS_MAX }),
    };
  }
  if (actor.apply !== undefined)
    throw new TypeError(`${options.actorModule} has apply(), so the runtime needs a database: set DATABASE_URL`);
  return undefined;
}

function open({ options, engine, suspects }: SlotThread, partition: OpenPartition): void {
  if (partition.isAnotherLog === true) suspects.forget(partition.partition);
  const { incarnation, epoch, log = 0, parked, settled } = partition;
  engine.open({
    topic: options.topic,
    partition: partition.partition,
    incarnation,
    epoch,
    log,
    parked: parked.map(({ key, partition: _, ...parking }) => [key, parking]),
    settledOffsets: settled.flatMap(({ key, settledOffset }) => (settledOffset < 0 ? [] : [[key, settledOffset]])),
    settledElsewhere: settled.flatMap(({ key, elsewhere }) => (elsewhere === undefined ? [] : [[key, elsewhere]])),
  });
}

function takeAll(slot: SlotThread, { batches, sentAt }: Extract<SlotTask, { kind: 'batches' }>): void {
  // The answer to the main thread, which follows, is part of the transfer.
  threadStages.at(stage.transfer);
  threadStages.waited(stage.transfer, sharedNow() - sentAt);
  const records = batches.reduce((sum, batch) => sum + take(slot, batch), 0);
  threadStages.passed(stage.transfer, records);
}

/** @returns the number of records */
function take({ engine, hotKeys }: SlotThread, { partition, incarnation, buffer }: PartitionBatch): number {
  const batch = new PackedBatch(buffer);
  hotKeys.take(batch);
  engine.take(partition, incarnation, batch);
  return batch.count;
}

function drain(engine: SlotEngine, partitions: number[]): Promise<DrainedPartition[]> {
  return Promise.all(partitions.map(async (partition) => ({ partition, frontier: await engine.drain(partition) })));
}

async function stop(actor: Actor<unknown, unknown>, producer: RecordProducer, store: ReturnType<typeof openStore>) {
  await actor.close?.();
  await producer.close();
  await store?.sessions.close();
  await store?.pool.close();
  life.resolve();
}
