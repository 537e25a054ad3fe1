import { Registry } from 'prom-client';
import type { ConsumerListener, GroupConsumer } from '../../kafka/consumer/consumer.ts';
import type { Actor } from '../../runtime/actor.ts';
import type { RuntimeLimits } from '../../runtime/host/host-options.ts';
import type { Ownership } from '../../runtime/host/host-ports.ts';
import { RuntimeHost } from '../../runtime/host/runtime-host.ts';
import { watched } from '../../runtime/slot/actor/watched-actor.ts';
import type { Mailbox, MailboxIdentity } from '../../runtime/slot/mailbox.ts';
import type { MessageEntry } from '../../runtime/slot/message-entry.ts';
import { SlotEngine } from '../../runtime/slot/slot-engine.ts';
import type { Transact } from '../../runtime/slot/turn.ts';
import type { TurnSql } from '../../store/database/database.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { StageClock } from '../../telemetry/stages/stage-clock.ts';
import type { History } from './history.ts';
import { type ActorWorld, modelActor } from './model-actor.ts';
import { ModelConsumer } from './model-consumer.ts';
import type { ModelGroup } from './model-group.ts';
import { INPUT_TOPIC, type ModelLog } from './model-log.ts';
import { ModelSlot, type ThreadParts } from './model-slot.ts';
import type { ModelStore } from './model-store.ts';
import type { Mutant } from './mutants.ts';
import { Body, type World } from './world.ts';

export const GROUP = 'simulated';

/** What all workers share, and their limits. */
export interface Surroundings {
  world: World;
  history: History;
  log: ModelLog;
  group: ModelGroup;
  store: ModelStore;
  actor: Omit<ActorWorld, 'die'>;
  /** Without a database there are no epochs, and parked keys are known only to their owner. */
  database: boolean;
  limits: RuntimeLimits;
  slots: number;
  batchRecordsMax: number;
  startFailures(): number;
  mutant: Mutant;
}

/** A supervisor starts a process again within this time. */
const RESTART_MS_MAX = 5_000;

const logger = createLogger('simulation', 'silent');

/** One worker process: the real host and, in each thread, the real engine, on modelled servers and threads. */
export class WorkerProcess {
  readonly name: string;
  readonly #surroundings: Surroundings;
  #body: Body | undefined;
  #host: RuntimeHost | undefined;
  #consumer: ModelConsumer | undefined;
  #slots: ModelSlot[] = [];
  #starts = 0;

  constructor(name: string, surroundings: Surroundings) {
    this.name = name;
    this.#surroundings = surroundings;
  }

  get running(): boolean {
    return this.#body?.alive === true;
  }

  get stopped(): boolean {
    return this.#body?.stopped === true;
  }

  start(): void {
    const { world, limits, slots } = this.#surroundings;
    const body = new Body(world, `${this.name}.${++this.#starts}`);
    this.#body = body;
    this.#slots = [];
    this.#consumer = undefined;
    world.log(body.name, 'starts');
    const host = new RuntimeHost(
      { role: 'simulation', logger, group: GROUP, topic: INPUT_TOPIC, slots, limits },
      {
        timers: body,
        registry: new Registry(),
        stages: new StageClock({ now: body.now }),
        createConsumer: (listener) => this.#createConsumer(body, host, listener),
        createSlot: (index, listener) => {
          const slot = new ModelSlot(index, body, listener, {
            startFailures: this.#surroundings.startFailures,
            onBlamed: (places) => this.#surroundings.history.blamed(places),
            createEngine: (parts) => this.#createEngine(parts),
          });
          this.#slots.push(slot);
          return slot;
        },
        ownership: { claim: (partitions) => this.#claim(body, partitions), close: async () => {} },
      },
    );
    this.#host = host;
    // A process that can't start ends, and a supervisor starts it again.
    body.soon(() => {
      host.start().catch(() => this.#endAndRestart(body));
    });
  }

  /** kill -9. */
  kill(): void {
    if (!this.running) return;
    this.#surroundings.world.log(this.name, 'is killed');
    this.#body?.die();
  }

  /** SIGSTOP. */
  stop(): void {
    if (!this.running) return;
    this.#surroundings.world.log(this.name, 'is stopped');
    this.#body?.stop();
  }

  /** SIGCONT. */
  goOn(): void {
    if (!this.running || !this.stopped) return;
    this.#surroundings.world.log(this.name, 'goes on');
    this.#body?.goOn();
  }

  /** SIGTERM: drains, commits, leaves, ends. Then it is started again. */
  end(): void {
    const body = this.#body;
    if (!this.running || body === undefined) return;
    this.#surroundings.world.log(this.name, 'ends');
    body.soon(() => {
      this.#host?.close().then(() => this.#endAndRestart(body));
    });
  }

  /** Why it isn't ready; undefined when it is. */
  get unready(): string | undefined {
    return this.#host?.readiness();
  }

  /** Writes the host's view of its partitions into the trace of a failure. */
  explain(): void {
    const { world } = this.#surroundings;
    for (const { partition, phase, frontier, next, paused, inFlightMessages } of this.#host?.view().partitions ?? [])
      world.log(
        this.name,
        `${partition}: ${phase} @${frontier} next ${next} in flight ${inFlightMessages} paused ${paused}`,
      );
  }

  #endAndRestart(body: Body): void {
    const { world } = this.#surroundings;
    body.die();
    world.schedule(world.random.next() * RESTART_MS_MAX, () => {
      if (!this.running) this.start();
    });
  }

  crashClient(): void {
    this.#body?.soon(() => this.#consumer?.crash());
  }

  hangClient(): void {
    this.#body?.soon(() => this.#consumer?.hang());
  }

  failThread(afterlife: boolean): void {
    this.#surroundings.world.random.pick(this.#slots)?.fail(afterlife);
  }

  get threads(): Body[] {
    return this.#slots.flatMap(({ body }) => body ?? []);
  }

  async #createConsumer(body: Body, host: RuntimeHost, listener: ConsumerListener): Promise<GroupConsumer> {
    const { group, log, batchRecordsMax, mutant } = this.#surroundings;
    const flawed = mutant.wrapConsumer?.(() => host.view().partitions);
    const consumer = new ModelConsumer(
      body,
      { group, log, batchRecordsMax, deafToLostSync: mutant.deafToLostSync ?? false },
      this.#checked(host, flawed?.listener(listener, () => consumer) ?? listener),
    );
    this.#consumer = consumer;
    await consumer.begin();
    return flawed?.consumer(consumer) ?? consumer;
  }

  /** Checks after each batch that a partition has no more in flight than its bounds allow. */
  #checked(host: RuntimeHost, listener: ConsumerListener): ConsumerListener {
    const { history, limits, batchRecordsMax } = this.#surroundings;
    // Two more batches may come after the one that filled it: one that was on its way, and one that a late pause lets through.
    const most = limits.partition.messagesMax - 1 + 2 * batchRecordsMax;
    return {
      onAssigned: (partitions) => listener.onAssigned(partitions),
      onRevoked: (partitions) => listener.onRevoked(partitions),
      onLost: (partitions) => listener.onLost(partitions),
      onBatch(batch) {
        listener.onBatch(batch);
        const partition = host.view().partitions.find((one) => one.partition === batch.partition);
        if (partition !== undefined && partition.inFlightMessages > most)
          history.violate('every queue is bounded', `${partition.inFlightMessages} messages in flight`);
        if (partition !== undefined && partition.inFlightMessages < 0)
          history.violate('every message is counted once', `${partition.inFlightMessages} messages in flight`);
      },
    };
  }

  async #claim(body: Body, partitions: readonly number[]): Promise<Map<number, Ownership>> {
    const { store, database } = this.#surroundings;
    if (!database) return new Map(partitions.map((partition) => [partition, { epoch: undefined, parked: [] }]));
    const epochs = await store.claim(body, partitions);
    const { parked, settled } = await store.deadLetters.load(body, partitions);
    return new Map(
      partitions.map((partition) => [
        partition,
        {
          epoch: epochs.get(partition),
          parked: parked.filter((key) => key.partition === partition),
          settled: settled.filter((key) => key.partition === partition),
        },
      ]),
    );
  }

  #createEngine({ body: thread, report, watch, die }: ThreadParts): SlotEngine {
    const { actor, limits, log, store, history, mutant, database } = this.#surroundings;
    const created = watched(modelActor(thread, { ...actor, die }), watch);
    return new SlotEngine(
      created,
      GROUP,
      limits.slot,
      {
        timers: thread,
        transact: transaction(thread, created, store, history, limits.slot),
        append: log.producer(thread),
        park: async ({ partition, epoch, key }, parking) => {
          const tracked = history.at(partition, parking.firstOffset);
          if (tracked.order.key !== key) history.violate('parked is the message', `${key} at ${parking.firstOffset}`);
          return database ? await store.deadLetters.park(thread, tracked, epoch, parking) : true;
        },
        ...(database && { deadLetters: store.deadLetters.portOf(thread) }),
        report,
        onParked: (place) => watch.suspects.parked(place),
        observe: { turn() {}, retry() {}, deadLetter() {} },
        stages: new StageClock({ now: thread.now }),
      },
      mutant.createMailbox as ((identity: MailboxIdentity) => Mailbox<MessageEntry>) | undefined,
    );
  }
}

/** As in the slot's thread: the fence, the actor's statements, the commit. */
function transaction(
  body: Body,
  actor: Actor<unknown, unknown>,
  store: ModelStore,
  history: History,
  { turnSizeMax, turnsMax }: RuntimeLimits['slot'],
): Transact {
  let inFlight = 0;
  return async (entries) => {
    if (entries.length > turnSizeMax) history.violate('every queue is bounded', `a turn of ${entries.length}`);
    if (++inFlight > turnsMax) history.violate('every queue is bounded', `${inFlight} turns at a time`);
    try {
      const epochs = new Map(entries.map(({ mailbox }) => [mailbox.partition, mailbox.epoch ?? -1]));
      const { session, fenced } = await store.begin(body, epochs);
      try {
        const current = entries.filter(({ partition }) => !fenced.has(partition));
        const replayed = current.filter(({ replay }) => replay !== undefined);
        const withdrawn = new Set(
          replayed.length === 0
            ? []
            : await store.statement(body, session, () =>
                replayed.filter((entry) => !store.deadLetters.mayApply(entry)),
              ),
        );
        const wanted = current.filter((entry) => !withdrawn.has(entry));
        const items = wanted.map((entry) => ({ message: entry, input: entry.input, prepared: entry.prepared }));
        const outputs = items.length === 0 ? [] : ((await actor.apply?.(items, session as unknown as TurnSql)) ?? []);
        const mayApply = replayed.filter((entry) => !withdrawn.has(entry));
        await store.commit(body, session, epochs, mayApply);
        return { fenced, withdrawn, outputs };
      } finally {
        store.rollback(session);
      }
    } finally {
      inFlight--;
    }
  };
}
