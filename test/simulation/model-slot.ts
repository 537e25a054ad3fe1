import type { HostedSlot } from '../../runtime/host/host-ports.ts';
import type { SlotListener } from '../../runtime/host/slots/slot.ts';
import { SlotDeathError } from '../../runtime/host/slots/slot-death.ts';
import type { WatchedOptions } from '../../runtime/slot/actor/watched-actor.ts';
import type { SlotEngine } from '../../runtime/slot/slot-engine.ts';
import { PackedBatch } from '../../runtime/wire/batch-codec.ts';
import { type Place, Pulse, type Shown } from '../../runtime/wire/pulse.ts';
import type { DrainedPartition, OpenPartition, PartitionBatch, SlotReport } from '../../runtime/wire/slot-protocol.ts';
import { SlotSuspects, SuspectRecord } from '../../runtime/wire/suspects.ts';
import { INPUT_TOPIC } from './model-log.ts';
import { Lane } from './network.ts';
import { Body } from './world.ts';

const START_MS_MAX = 300;
const MESSAGE_MS_MAX = 0.5;
/** The main thread notices a death within this time. */
const DEATH_NOTICE_MS_MAX = 20;
/** The watchdog waits at most this long for a thread that does not return. */
const SILENCE_MS_MAX = 3_000;
const PLACES_MAX = 100;
/** A thread that was given up may run on for this long. */
const AFTERLIFE_MS_MAX = 3_000;

interface Thread {
  body: Body;
  pulse: Pulse;
  engine: SlotEngine;
  tasks: Lane;
  answers: Lane;
  reports: Lane;
}

/** What a thread needs to create its engine. */
export interface ThreadParts {
  body: Body;
  report(report: SlotReport): void;
  watch: WatchedOptions;
  /** Called when the actor's computation kills the thread. */
  die(): void;
}

export interface SlotModel {
  createEngine(parts: ThreadParts): SlotEngine;
  /** A thread died while these messages were at work. */
  onBlamed(places: readonly Place[]): void;
  /** Share of the starts that fail. */
  startFailures(): number;
}

/** A slot whose thread is a body of its own. Messages to and from it take time, and keep their order within each channel. */
export class ModelSlot implements HostedSlot {
  readonly index: number;
  readonly #process: Body;
  readonly #listener: SlotListener;
  readonly #model: SlotModel;
  #thread: Thread | undefined;
  #running = false;
  #pending = new Set<(error: Error) => void>();
  #threads = 0;
  readonly #suspects = new SuspectRecord();

  constructor(index: number, process: Body, listener: SlotListener, model: SlotModel) {
    this.index = index;
    this.#process = process;
    this.#listener = listener;
    this.#model = model;
  }

  get running(): boolean {
    return this.#running;
  }

  /** The thread, for faults. */
  get body(): Body | undefined {
    return this.#running ? this.#thread?.body : undefined;
  }

  async start(): Promise<void> {
    const { world } = this.#process;
    await new Promise<void>((resolve) => this.#process.after(world.random.next() * START_MS_MAX, resolve));
    if (world.random.chance(this.#model.startFailures())) throw new Error('the modelled thread does not start');
    const body = new Body(world, `${this.#process.name}/${this.index}.${++this.#threads}`, this.#process);
    const reports = new Lane();
    const pulse = Pulse.create(PLACES_MAX);
    const thread: Thread = {
      body,
      pulse,
      engine: this.#model.createEngine({
        body,
        report: (report) => {
          if (!body.alive) return;
          this.#post(this.#process, reports, () => {
            if (this.#thread === thread) this.#listener.onReport(report);
          });
        },
        watch: {
          pulse,
          timers: body,
          suspects: new SlotSuspects(this.#suspects.all, ({ kind, place }) => {
            if (!body.alive) return;
            this.#post(this.#process, reports, () =>
              kind === 'cleared' ? this.#suspects.clear(place) : this.#suspects.parked(place),
            );
          }),
        },
        die: () => this.#end(thread, world.random.chance(0.5) ? DEATH_NOTICE_MS_MAX : SILENCE_MS_MAX),
      }),
      tasks: new Lane(),
      answers: new Lane(),
      reports,
    };
    this.#thread = thread;
    this.#running = true;
    world.log(body.name, 'runs');
  }

  /** A fault: the thread dies. With `afterlife` it runs on for a while, although the host believes it dead. */
  fail(afterlife: boolean): void {
    const thread = this.#thread;
    if (thread === undefined || !this.#running) return;
    const { world } = this.#process;
    if (!afterlife) {
      this.#end(thread, DEATH_NOTICE_MS_MAX);
      return;
    }
    world.log(thread.body.name, 'is given up');
    world.schedule(world.random.next() * AFTERLIFE_MS_MAX, () => thread.body.die());
    this.#process.after(world.random.next() * DEATH_NOTICE_MS_MAX, () => this.#died(thread, thread.pulse.atWork));
  }

  /** The thread stops, and the main thread notices it. A thread that never returns looks the same after the watchdog's wait. */
  #end(thread: Thread, noticeMsMax: number): void {
    const { world } = this.#process;
    const { atWork } = thread.pulse;
    world.log(thread.body.name, `dies, at work on ${atWork.length} messages`);
    thread.body.die();
    this.#process.after(world.random.next() * noticeMsMax, () => this.#died(thread, atWork));
  }

  open(partitions: OpenPartition[]): Promise<void> {
    return this.#run(({ engine }) => {
      for (const { parked, settled, ...partition } of partitions)
        engine.open({
          topic: INPUT_TOPIC,
          ...partition,
          parked: parked.map(({ key, partition: _, ...parking }) => [key, parking]),
          settledOffsets: settled.map(({ key, settledOffset }) => [key, settledOffset]),
        });
    });
  }

  take({ partition, incarnation, buffer }: PartitionBatch): void {
    if (this.#running)
      this.#run(({ engine }) => engine.take(partition, incarnation, new PackedBatch(buffer))).catch(() => {});
  }

  async view(): Promise<undefined> {}

  drain(partitions: number[]): Promise<DrainedPartition[]> {
    return this.#run(({ engine }) =>
      Promise.all(partitions.map(async (partition) => ({ partition, frontier: await engine.drain(partition) }))),
    );
  }

  close(partitions: number[]): void {
    if (!this.#running) return;
    this.#run(({ engine }) => {
      for (const partition of partitions) engine.close(partition);
    }).catch(() => {});
  }

  async metrics(): Promise<[]> {
    return [];
  }

  async stop(): Promise<void> {
    this.#running = false;
    const thread = this.#thread;
    this.#thread = undefined;
    thread?.body.die();
  }

  #died(thread: Thread, atWork: readonly Shown[]): void {
    if (this.#thread !== thread || !this.#running) return;
    this.#suspects.blame(atWork);
    this.#model.onBlamed(atWork);
    this.#running = false;
    this.#thread = undefined;
    const error = new Error('the modelled thread died');
    const rejectAll = () => {
      for (const reject of this.#pending) reject(error);
      this.#pending.clear();
    };
    // The host may get either message first.
    if (this.#process.world.random.chance(0.5)) rejectAll();
    this.#listener.onDeath(new SlotDeathError(error, []));
    rejectAll();
  }

  #run<T>(task: (thread: Thread) => T | Promise<T>): Promise<T> {
    const thread = this.#thread;
    if (thread === undefined) return Promise.reject(new Error(`slot ${this.index} is not running`));
    return new Promise<T>((resolve, reject) => {
      this.#pending.add(reject);
      const settle = (act: () => void) =>
        this.#post(this.#process, thread.answers, () => {
          this.#pending.delete(reject);
          act();
        });
      this.#post(thread.body, thread.tasks, async () => {
        const result = await task(thread);
        settle(() => resolve(result));
      });
    });
  }

  #post(to: Body, lane: Lane, act: () => void): void {
    const { world } = to;
    const at = Math.max(world.now + world.random.next() * MESSAGE_MS_MAX, lane.arrivesAt);
    lane.arrivesAt = at;
    world.scheduleAt(at, act, to);
  }
}
