import type { MessagePort } from 'node:worker_threads';
import { createProducer } from '../kafka/index.ts';
import type { RecordProducer } from '../kafka/producer.ts';
import { connectDatabase, type Database } from '../store/database.ts';
import { fencedPartitions, type Subscription } from '../store/epochs.ts';
import { parkKey } from '../store/parked-keys.ts';
import { snapshot } from '../telemetry/metrics.ts';
import type { Actor, ActorModule, Item } from './actor.ts';
import { PackedBatch } from './batch-codec.ts';
import type { MessageEntry } from './message-entry.ts';
import { SlotEngine } from './slot-engine.ts';
import { createSlotMetrics } from './slot-metrics.ts';
import type { DrainedPartition, OpenPartition, SlotOptions, SlotTask } from './slot-protocol.ts';
import { systemTimers } from './timers.ts';
import type { Transact } from './turn.ts';

/** The thread's own parts, from `start` on. */
interface SlotThread {
  options: SlotOptions;
  engine: SlotEngine;
  stop(): Promise<void>;
  metrics(): Promise<unknown>;
}

let thread: SlotThread | undefined;
const life = Promise.withResolvers<void>();

// biome-ignore lint/style/noDefaultExport: a worker entry is its module's default.
export default function slotTask(task: SlotTask): unknown {
  switch (task.kind) {
    case 'start':
      return start(task.options, task.reports);
    case 'live':
      return life.promise;
    case 'open':
      for (const partition of task.partitions) open(started(), partition);
      return;
    case 'batches':
      for (const { partition, generation, buffer } of task.batches)
        started().engine.take(partition, generation, new PackedBatch(buffer));
      return;
    case 'drain':
      return drain(started().engine, task.partitions);
    case 'close':
      for (const partition of task.partitions) started().engine.close(partition);
      return;
    case 'metrics':
      return started().metrics();
    case 'stop':
      return started().stop();
  }
}

function started(): SlotThread {
  if (thread === undefined) throw new Error('the slot was not started');
  return thread;
}

async function start(options: SlotOptions, reports: MessagePort): Promise<void> {
  const { createActor } = (await import(options.actorModule)) as ActorModule;
  if (typeof createActor !== 'function') throw new TypeError(`${options.actorModule} must export createActor(context)`);
  const { registry, observer } = createSlotMetrics(options.role, options.slot);
  const actor = await createActor({ settings: options.settings, slot: options.slot, registry });
  const database = openDatabase(actor, options);
  const producer = await createProducer({
    clientId: `${options.role}-slot-${options.slot}`,
    brokers: options.brokers,
    deadlineMs: options.limits.produceDeadlineMs,
  });
  const subscription = { group: options.group, topic: options.topic };
  const engine = new SlotEngine(actor, options.group, options.limits, {
    timers: systemTimers,
    transact: transaction(actor, database, subscription),
    append: (record, done) => producer.append(record, done),
    async park(mailbox, key, parking) {
      if (database === undefined || mailbox.epoch === undefined) return true;
      return await parkKey(database, subscription, mailbox.epoch, { partition: mailbox.partition, key, ...parking });
    },
    report: (report) => reports.postMessage(report),
    observe: observer,
  });
  thread = {
    options,
    engine,
    metrics: () => snapshot(registry),
    stop: () => stop(actor, producer, database),
  };
}

function openDatabase(actor: Actor<unknown, unknown>, options: SlotOptions): Database | undefined {
  if (options.databaseUrl !== undefined) {
    return connectDatabase({
      url: options.databaseUrl,
      // One for each concurrent turn, one to park keys.
      connections: options.limits.turnsMax + 1,
      application: `${options.role}-slot-${options.slot}`,
    });
  }
  if (actor.apply !== undefined)
    throw new TypeError(`${options.actorModule} has apply(), so the runtime needs a databaseUrl: set DATABASE_URL`);
  return undefined;
}

/** One turn's transaction: the fence first, then the actor's effects of what the fence let through. */
function transaction(actor: Actor<unknown, unknown>, database: Database | undefined, on: Subscription): Transact {
  return async (entries) => {
    if (database === undefined || actor.apply === undefined) throw new TypeError('no apply() or no database');
    const apply = actor.apply.bind(actor);
    const epochs = new Map(entries.map(({ mailbox }) => [mailbox.partition, mailbox.epoch ?? -1]));
    return await database.begin(async (sql) => {
      const fenced = await fencedPartitions(sql, on, epochs);
      const current = fenced.size === 0 ? entries : entries.filter(({ partition }) => !fenced.has(partition));
      if (current.length === 0) return { fenced, outputs: [] };
      const outputs = await apply(current.map(item), sql);
      if (outputs.length !== current.length)
        throw new TypeError(`apply() returned outputs of ${outputs.length} items for ${current.length} items`);
      return { fenced, outputs };
    });
  };
}

function item(entry: MessageEntry): Item<unknown, unknown> {
  return { message: entry, input: entry.input, prepared: entry.prepared };
}

function open({ options, engine }: SlotThread, { partition, generation, epoch, parked }: OpenPartition): void {
  engine.open({
    topic: options.topic,
    partition,
    generation,
    epoch,
    parked: parked.map(({ key, partition: _, ...parking }) => [key, parking]),
  });
}

function drain(engine: SlotEngine, partitions: number[]): Promise<DrainedPartition[]> {
  return Promise.all(partitions.map(async (partition) => ({ partition, frontier: await engine.drain(partition) })));
}

async function stop(actor: Actor<unknown, unknown>, producer: RecordProducer, database: Database | undefined) {
  await actor.close?.();
  await producer.close();
  await database?.end({ timeout: 1 });
  life.resolve();
}
