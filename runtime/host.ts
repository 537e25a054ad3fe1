import type { ConsumerListener, FetchedBatch, GroupConsumer, TopicPartition } from '../kafka/consumer.ts';
import { createConsumer, NotAMemberError } from '../kafka/index.ts';
import type { MetricsSnapshot } from '../telemetry/metrics.ts';
import { snapshot } from '../telemetry/metrics.ts';
import { AssignedPartition, type PauseReason } from './assigned-partition.ts';
import { packBatch } from './batch-codec.ts';
import { createHostMetrics, type HostMetrics } from './host-metrics.ts';
import type { RuntimeOptions } from './host-options.ts';
import { describeError } from './outage.ts';
import { OutageBoard } from './outage-board.ts';
import { type Ownership, OwnershipStore } from './ownership.ts';
import { pin } from './pinning.ts';
import { exponentialDelayMs } from './retry.ts';
import { type RuntimeView, runtimeView } from './runtime-view.ts';
import { Slot } from './slot.ts';
import type { SlotReport } from './slot-protocol.ts';
import { delay, systemTimers, within } from './timers.ts';

const timers = systemTimers;
/** A claim that takes longer is taken for an outage, and goes on waiting. */
const CLAIM_ANSWER_MS_MAX = 3_000;
const RESTART_BACKOFF_MS = { first: 100, most: 5_000 };

/** A running actor runtime. */
export interface Runtime {
  /** Why it isn't ready, in a few words; undefined when it is. */
  readiness(): string | undefined;
  /** Of the main thread and of every slot's. */
  metrics(): Promise<MetricsSnapshot[]>;
  view(): RuntimeView;
  /** Drains, commits, leaves the group, stops the threads. Idempotent. */
  close(): Promise<void>;
}

/**
 * Runs an actor on a topic in this process: joins the group, pins partitions to threads and commits the frontier.
 * @throws when Kafka can't be reached, or when the actor can't be created in a thread.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const host = new RuntimeHost(options);
  try {
    await host.start();
  } catch (error) {
    await host.close();
    throw error;
  }
  return host;
}

/** The main thread: group membership, assignment, backpressure and commits. The work itself is in the slots' threads. */
class RuntimeHost implements Runtime, ConsumerListener {
  readonly #options: RuntimeOptions;
  readonly #partitions = new Map<number, AssignedPartition>();
  readonly #slots: Slot[];
  readonly #ownership: OwnershipStore;
  readonly #outages = new OutageBoard();
  readonly #metrics: HostMetrics;
  /** Where each partition was last, so that it comes back to its slot. */
  #pins = new Map<number, number>();
  #generations = 0;
  #consumer: GroupConsumer | undefined;
  #commitTimer: NodeJS.Timeout | undefined;
  /** Commits are sent one after the other, so that an older position never overwrites a newer one. */
  #commits: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    const { role, group, topic, brokers, databaseUrl, actorModule, settings, limits } = options;
    this.#ownership = new OwnershipStore(databaseUrl, role, { group, topic });
    this.#metrics = createHostMetrics(role, {
      partitions: () => this.#partitions.values(),
      outages: () => this.#outages.size,
      now: timers.now,
    });
    this.#slots = Array.from({ length: options.slots }, (_, index) => {
      const slotOptions = { slot: index, role, group, topic, brokers, databaseUrl, settings, limits: limits.slot };
      return new Slot(
        { ...slotOptions, actorModule: actorModule.href },
        { onReport: (report) => this.#onReport(index, report), onDeath: (error) => this.#onSlotDeath(index, error) },
        options.slotMemoryMbMax,
      );
    });
  }

  async start(): Promise<void> {
    const { role, group, topic, brokers, sessionTimeoutMs, limits } = this.#options;
    await Promise.all(this.#slots.map((slot) => slot.start()));
    this.#consumer = await createConsumer(
      {
        clientId: role,
        brokers,
        groupId: group,
        topics: [topic],
        fetchIntervalMs: limits.fetchIntervalMs,
        ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
      },
      this,
    );
    this.#commitTimer = setInterval(() => this.#commitSoon(), limits.commitIntervalMs);
  }

  readiness(): string | undefined {
    if (this.#closed !== undefined) return 'shutting down';
    if (this.#outages.summary !== undefined) return this.#outages.summary;
    const dead = this.#slots.filter(({ running }) => !running).map(({ index }) => index);
    if (dead.length > 0) return `slot ${dead.join(', ')} is starting`;
    const opening = [...this.#partitions.values()].filter(({ phase }) => phase === 'opening');
    return opening.length > 0 ? `${opening.length} partitions are opening` : undefined;
  }

  async metrics(): Promise<MetricsSnapshot[]> {
    const own = snapshot(this.#metrics.registry);
    return await Promise.all([own, ...this.#slots.map((slot) => slot.metrics())]);
  }

  view(): RuntimeView {
    const { role, group, topic } = this.#options;
    const slots = this.#slots.map(({ index, running }) => ({ slot: index, running }));
    return runtimeView({ role, group, topic, slots }, this.#partitions.values(), this.#outages, timers.now());
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#commitTimer);
    await this.#consumer?.close();
    this.#forget([...this.#partitions.values()]);
    await Promise.all(this.#slots.map((slot) => slot.stop(this.#options.limits.drainTimeoutMs)));
    await this.#ownership.close();
  }

  async onAssigned(assigned: TopicPartition[]): Promise<void> {
    const numbers = assigned.map(({ partition }) => partition);
    const pins = pin(numbers, this.#slots.length, this.#pins);
    this.#pins = new Map([...this.#pins, ...pins]);
    this.#metrics.rebalances.inc();
    const generation = ++this.#generations;
    const partitions = numbers.map((partition) => {
      const slot = pins.get(partition) ?? 0;
      return new AssignedPartition(partition, slot, generation, this.#options.limits.partition, timers.now());
    });
    for (const partition of partitions) this.#partitions.set(partition.partition, partition);
    this.#options.logger.info({ partitions: numbers }, 'partitions assigned');
    await this.#open(partitions);
  }

  async onRevoked(revoked: TopicPartition[]): Promise<void> {
    const partitions = this.#current(revoked);
    for (const partition of partitions) partition.phase = 'draining';
    await within(timers, this.#options.limits.drainTimeoutMs, this.#drain(partitions));
    await this.#commit(partitions);
    this.#forget(partitions);
  }

  onLost(lost: TopicPartition[]): void {
    const partitions = this.#current(lost);
    if (partitions.length > 0)
      this.#options.logger.warn({ partitions: partitions.map(({ partition }) => partition) }, 'partitions lost');
    this.#forget(partitions);
  }

  onBatch({ partition: number, records, highWatermark }: FetchedBatch): void {
    const partition = this.#partitions.get(number);
    if (partition === undefined) return;
    partition.highWatermark = highWatermark;
    if (partition.phase === 'opening') {
      // Not taken: opening ends with a seek to the first record that came meanwhile.
      partition.frontier ??= records[0]?.offset;
      partition.next ??= records[0]?.offset;
      return;
    }
    if (partition.phase === 'draining') return;
    const fresh = partition.fresh(records);
    if (fresh.length === 0) return;
    const { buffer, bytes } = packBatch(fresh);
    partition.taken(fresh, bytes, timers.now());
    this.#slots[partition.slot]?.take({ partition: number, generation: partition.generation, buffer });
    if (partition.full) this.#pause(partition, 'full');
  }

  #onReport(slot: number, report: SlotReport): void {
    switch (report.kind) {
      case 'progress':
        for (const progress of report.partitions) {
          const partition = this.#partitions.get(progress.partition);
          if (partition === undefined || partition.generation !== progress.generation) continue;
          this.#metrics.messages.inc(progress.messages);
          partition.progressed(progress, timers.now());
          if (partition.slack) this.#resume(partition, 'full');
        }
        return;
      case 'fenced': {
        const partition = this.#partitions.get(report.partition);
        if (partition?.generation === report.generation) this.#reclaim(partition);
        return;
      }
      case 'outage': {
        const { dependency, reason, since } = report;
        if (this.#outages.note(`slot-${slot}`, dependency, reason, since)) {
          this.#metrics.outages.inc({ dependency });
          this.#options.logger.error({ slot, dependency, reason }, 'outage: partitions pause until it is over');
        }
        for (const partition of this.#ofSlot(slot)) this.#pause(partition, 'outage');
        return;
      }
      case 'recovered':
        this.#outages.clear(`slot-${slot}`, report.dependency);
        this.#options.logger.info({ slot, dependency: report.dependency }, 'outage over');
        if (!this.#outages.has(`slot-${slot}`))
          for (const partition of this.#ofSlot(slot)) this.#resume(partition, 'outage');
        return;
    }
  }

  /** The thread is gone with all that was in it: a new one takes its partitions on from their frontiers. */
  #onSlotDeath(slot: number, error: Error): void {
    if (this.#closed !== undefined) return;
    this.#metrics.slotDeaths.inc();
    this.#options.logger.error({ slot, error: describeError(error) }, 'thread died; it is replaced');
    this.#outages.clear(`slot-${slot}`);
    for (const partition of this.#ofSlot(slot)) this.#restart(partition);
    this.#replaceThread(slot);
  }

  async #replaceThread(index: number): Promise<void> {
    const slot = this.#slots[index];
    for (let attempt = 1; slot !== undefined && this.#closed === undefined; attempt++) {
      try {
        await slot.start();
        await this.#open([...this.#ofSlot(index)].filter(({ phase }) => phase === 'opening'));
        return;
      } catch (error) {
        this.#options.logger.error({ slot: index, error: describeError(error) }, 'thread does not start');
        await delay(timers, exponentialDelayMs(attempt, RESTART_BACKOFF_MS.first, RESTART_BACKOFF_MS.most));
      }
    }
  }

  /**
   * A newer epoch owns a partition that we take for ours. A successful commit proves that the group still counts us, so the newer
   * epoch is that of a member which is out and came late: we claim the next one. Otherwise the partition is no longer ours.
   */
  async #reclaim(partition: AssignedPartition): Promise<void> {
    this.#options.logger.warn({ partition: partition.partition }, 'fenced by a newer epoch');
    this.#restart(partition);
    const { generation } = partition;
    for (let attempt = 1; this.#isCurrent(partition, generation); attempt++) {
      try {
        const offset = partition.frontier;
        if (offset !== undefined) await this.#consumer?.commit([{ ...this.#place(partition), offset }]);
        break;
      } catch (error) {
        if (error instanceof NotAMemberError) {
          this.#forget([partition]);
          return;
        }
        await delay(timers, exponentialDelayMs(attempt, RESTART_BACKOFF_MS.first, RESTART_BACKOFF_MS.most));
      }
    }
    await this.#open([partition]);
  }

  #restart(partition: AssignedPartition): void {
    partition.restart(++this.#generations);
    this.#consumer?.pause([this.#place(partition)]);
  }

  /** Claims the epochs and hands the partitions to their threads; for as long as it takes, or until they are no longer ours. */
  async #open(partitions: AssignedPartition[]): Promise<void> {
    const wanted = partitions.map((partition) => ({ partition, generation: partition.generation }));
    for (let attempt = 1; ; attempt++) {
      const current = wanted.filter(({ partition, generation }) => this.#isCurrent(partition, generation));
      if (current.length === 0) return;
      // The client waits for a server that takes connections and never answers; readiness should not.
      const stopWatching = timers.after(CLAIM_ANSWER_MS_MAX, () =>
        this.#outages.note('assignment', 'database', 'no answer yet', timers.now()),
      );
      try {
        const owned = await this.#ownership.claim(current.map(({ partition }) => partition.partition));
        this.#outages.clear('assignment');
        await Promise.all(
          current.map(({ partition, generation }) =>
            this.#openOne(partition, generation, owned.get(partition.partition)),
          ),
        );
        return;
      } catch (error) {
        // Whatever the error, partitions can't be worked on without their epochs: wait, say so, try again.
        const reason = describeError(error);
        this.#outages.note('assignment', 'database', reason, timers.now());
        this.#options.logger.error({ reason }, 'cannot claim epochs; trying again');
        await delay(timers, exponentialDelayMs(attempt, RESTART_BACKOFF_MS.first, RESTART_BACKOFF_MS.most));
      } finally {
        stopWatching();
      }
    }
  }

  async #openOne(partition: AssignedPartition, generation: number, owned: Ownership | undefined): Promise<void> {
    const slot = this.#slots[partition.slot];
    if (slot === undefined || owned === undefined || !this.#isCurrent(partition, generation)) return;
    // A thread that is just being replaced opens its partitions itself once it runs.
    if (!slot.running) return;
    const { epoch, parked } = owned;
    await slot.open([{ partition: partition.partition, generation, epoch, parked }]).catch(() => {});
    if (!slot.running || !this.#isCurrent(partition, generation)) return;
    partition.epoch = epoch;
    partition.parkedKeys = parked.length;
    partition.phase = 'running';
    if (partition.next !== undefined) this.#consumer?.seek({ ...this.#place(partition), offset: partition.next });
    this.#resume(partition, 'opening');
    // While it was opening, another reason to wait may have come up, which the consumer doesn't know of.
    if (partition.pauses.size > 0) this.#consumer?.pause([this.#place(partition)]);
  }

  async #drain(partitions: AssignedPartition[]): Promise<void> {
    await Promise.all(
      this.#slots.map(async (slot) => {
        const own = partitions.filter((partition) => partition.slot === slot.index);
        if (own.length === 0 || !slot.running) return;
        const drained = await slot.drain(own.map(({ partition }) => partition)).catch(() => []);
        for (const { partition, frontier } of drained)
          own.find((candidate) => candidate.partition === partition)?.advance(frontier, timers.now());
      }),
    );
  }

  #commitSoon(): void {
    const partitions = [...this.#partitions.values()].filter(({ phase }) => phase !== 'draining');
    this.#commit(partitions);
  }

  /** Commits the frontiers. What can't be committed now is committed later or, by the next owner, worked on again. */
  #commit(partitions: AssignedPartition[]): Promise<void> {
    this.#commits = this.#commits.then(async () => {
      const positions = partitions.flatMap((partition) => {
        const { uncommitted } = partition;
        const current = this.#partitions.get(partition.partition) === partition;
        return current && uncommitted !== undefined ? [{ partition, offset: uncommitted }] : [];
      });
      if (positions.length === 0) return;
      try {
        await this.#consumer?.commit(positions.map(({ partition, offset }) => ({ ...this.#place(partition), offset })));
        for (const { partition, offset } of positions) partition.committed = offset;
        this.#outages.clear('commit');
      } catch (error) {
        if (error instanceof NotAMemberError) return;
        this.#outages.note('commit', 'broker', describeError(error), timers.now());
      }
    });
    return this.#commits;
  }

  #forget(partitions: AssignedPartition[]): void {
    for (const partition of partitions) {
      if (this.#partitions.get(partition.partition) !== partition) continue;
      this.#partitions.delete(partition.partition);
      this.#slots[partition.slot]?.close([partition.partition]);
    }
  }

  #pause(partition: AssignedPartition, reason: PauseReason): void {
    if (partition.pauses.size === 0) this.#consumer?.pause([this.#place(partition)]);
    partition.pauses.add(reason);
  }

  #resume(partition: AssignedPartition, reason: PauseReason): void {
    if (!partition.pauses.delete(reason) || partition.pauses.size > 0) return;
    this.#consumer?.resume([this.#place(partition)]);
  }

  #current(places: TopicPartition[]): AssignedPartition[] {
    return places.flatMap(({ partition }) => this.#partitions.get(partition) ?? []);
  }

  #isCurrent(partition: AssignedPartition, generation: number): boolean {
    return this.#partitions.get(partition.partition) === partition && partition.generation === generation;
  }

  *#ofSlot(slot: number): Iterable<AssignedPartition> {
    for (const partition of this.#partitions.values()) if (partition.slot === slot) yield partition;
  }

  #place({ partition }: AssignedPartition): TopicPartition {
    return { topic: this.#options.topic, partition };
  }
}
