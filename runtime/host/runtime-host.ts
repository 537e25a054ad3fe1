// The main thread of a worker. `host.ts` creates it with the real ports, the simulation with models.

import { settlesWithin } from '../../contracts/deadline.ts';
import type { ConsumerListener, FetchedBatch, Standing, TopicPartition } from '../../kafka/index.ts';
import { type MetricsSnapshot, mainThread, snapshot } from '../../telemetry/metrics.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { ownStages } from '../../telemetry/stages/stage-metrics.ts';
import { stateEnded } from '../../telemetry/state-log.ts';
import { describeError } from '../outage.ts';
import { packBatch } from '../wire/batch-codec.ts';
import type { HeldMessage, SlotReport } from '../wire/slot-protocol.ts';
import { createHostMetrics, type HostMetrics } from './host-metrics.ts';
import type { RuntimeOptions } from './host-options.ts';
import type { HostPorts } from './host-ports.ts';
import { standingOf, standingSummary } from './member-view.ts';
import { OutageBoard, outageEffects } from './outage-board.ts';
import { AssignedPartition } from './partitions/assigned-partition.ts';
import { Assignment } from './partitions/assignment.ts';
import { FrontierCommitter } from './partitions/frontier-committer.ts';
import { FrontierWatch } from './partitions/frontier-watch.ts';
import { LogWatch } from './partitions/log-watch.ts';
import { PartitionOpener } from './partitions/partition-opener.ts';
import { pin } from './partitions/pinning.ts';
import { RebalanceClock } from './partitions/rebalance-clock.ts';
import { type RuntimeInspection, type RuntimeView, runtimeView } from './runtime-view.ts';
import type { SlotDeathError } from './slots/slot-death.ts';
import { SlotSet } from './slots/slot-set.ts';

/** A database that does not answer must not hold up a rebalance. */
const PROGRESS_MS_MAX = 1_000;

/** A running actor runtime, for the role that started it. */
export interface Runtime {
  /** Why the runtime isn't ready, in a few words; undefined when it is ready. */
  readiness(): string | undefined;
  /** Metrics of the main thread and of all slots. */
  metrics(): Promise<MetricsSnapshot[]>;
  /** What the main thread knows; returned at once. */
  view(): RuntimeView;
  /** The same, with the views of all slots, for `/debug/runtime`. */
  inspect(): Promise<RuntimeInspection>;
  /** Drains, commits, leaves the group, stops the threads. Idempotent. */
  close(): Promise<void>;
}

export type HostOptions = Pick<RuntimeOptions, 'role' | 'logger' | 'group' | 'topic' | 'slots' | 'limits'>;

/**
 * The main thread: group membership, assignment, backpressure and commits. The messages are worked on in the slots' threads. The host owns
 * no clock, socket or thread: they come in through its ports, so the simulation runs this class.
 */
export class RuntimeHost implements Runtime, ConsumerListener {
  readonly #options: HostOptions;
  readonly #ports: HostPorts;
  readonly #assignment: Assignment;
  readonly #slots: SlotSet;
  readonly #opener: PartitionOpener;
  readonly #committer: FrontierCommitter;
  readonly #frontierWatch: FrontierWatch;
  readonly #logWatch: LogWatch;
  readonly #outages = new OutageBoard();
  readonly #metrics: HostMetrics;
  readonly #rebalances = new RebalanceClock();
  /** Messages that wait alone, by slot. */
  readonly #held = new Map<number, { count: number; longest: HeldMessage }>();
  /** The last slot of each partition, so that a partition comes back to its slot. */
  #pins = new Map<number, number>();
  /** Given up and not assigned again yet, here or elsewhere. Their lag and age stay visible until then. */
  #given: readonly AssignedPartition[] = [];
  #closed: Promise<void> | undefined;

  constructor(options: HostOptions, ports: HostPorts) {
    this.#options = options;
    this.#ports = ports;
    const { topic, logger } = options;
    const { timers, ownership, registry } = ports;
    const assignment = new Assignment(topic);
    const outages = this.#outages;
    const slots = new SlotSet(
      options.slots,
      ports,
      {
        onReport: (slot, report) => this.#onReport(slot, report),
        onDeath: (slot, error) => this.#onSlotDeath(slot, error),
        onReplaced: (slot) => this.#onSlotReplaced(slot),
      },
      logger,
    );
    this.#assignment = assignment;
    this.#slots = slots;
    this.#logWatch = new LogWatch({
      topic,
      assignment,
      logs: ports.logs,
      timers,
      logger,
      reopen: (partitions) => void this.#opener.reopen(partitions),
      skipped: (messages, reason) => this.#metrics.skipped.inc({ reason }, messages),
      changed: (change) => this.#metrics.logChanges.inc({ change }),
    });
    this.#opener = new PartitionOpener({
      assignment,
      slots,
      ownership,
      outages,
      timers,
      logger,
      logWatch: this.#logWatch,
    });
    this.#committer = new FrontierCommitter(assignment, outages, timers, ports.stages, logger);
    this.#frontierWatch = new FrontierWatch({
      topic,
      partitions: () => assignment.all(),
      isExplained: () => outages.size > 0 || this.#heldCount() > 0,
      timers,
      logger,
    });
    this.#metrics = createHostMetrics(registry, {
      partitions: () => assignment.all(),
      given: () => (assignment.consumer?.health.state === 'assigned' ? [] : this.#given),
      standing: (partition) => standingOf(this.#standing(), partition.partition),
      health: () => assignment.consumer?.health,
      outages: () => outages.size + (this.#standing().some(({ partition }) => partition === undefined) ? 1 : 0),
      hasFault: (fault) => this.#logWatch.has(fault),
      held: () => this.#heldCount(),
      now: () => timers.now(),
      observed: () => this.#frontierWatch.now(),
    });
  }

  async start(): Promise<void> {
    await this.#slots.start();
    this.#assignment.consumer = await this.#ports.createConsumer(this);
    this.#committer.start(this.#options.limits.commitIntervalMs);
    this.#logWatch.start();
    this.#frontierWatch.start();
  }

  readiness(): string | undefined {
    if (this.#closed !== undefined) return 'shutting down';
    const { group } = this.#options;
    const all = [this.#outages.summary, standingSummary(this.#standing(), group), this.#heldSummary()];
    const waiting = all.filter((text) => text !== undefined);
    if (waiting.length > 0) return waiting.join('; ');
    const dead = this.#slots.states.filter(({ running }) => !running).map(({ slot }) => slot);
    if (dead.length > 0) return `slot ${dead.join(', ')} is starting`;
    const opening = [...this.#assignment.all()].filter(({ phase }) => phase === 'opening');
    return opening.length > 0 ? `${opening.length} partitions are opening` : this.#logWatch.summary;
  }

  async metrics(): Promise<MetricsSnapshot[]> {
    const [own, slots] = await Promise.all([snapshot(this.#metrics.registry), this.#slots.metrics()]);
    return [own, ...slots];
  }

  view(): RuntimeView {
    const { role, group, topic } = this.#options;
    const about = { role, group, topic, slots: this.#slots.states };
    const { count, last } = this.#rebalances;
    const rebalances = { count, last: last ?? null };
    const { consumer } = this.#assignment;
    return runtimeView(
      { ...about, rebalances },
      this.#assignment.all(),
      this.#outages,
      consumer,
      this.#frontierWatch.now(),
    );
  }

  async inspect(): Promise<RuntimeInspection> {
    const threads = await this.#slots.views();
    const { slots, ...view } = this.view();
    return {
      ...view,
      mainThread: ownStages(mainThread, this.#ports.stages),
      slots: slots.map((slot) => ({ ...slot, thread: threads[slot.slot] ?? null })),
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#slots.beginStop();
    this.#committer.stop();
    this.#frontierWatch.stop();
    this.#logWatch.stop();
    await this.#assignment.consumer?.close();
    this.#opener.forget([...this.#assignment.all()]);
    await this.#slots.stop(this.#options.limits.drainTimeoutMs);
    await this.#ports.ownership.close();
  }

  async onAssigned(assigned: TopicPartition[]): Promise<void> {
    // Each assignment is complete: partitions of the previous one that are still here are lost.
    this.#opener.forget([...this.#assignment.all()]);
    this.#given = [];
    const numbers = assigned.map(({ partition }) => partition);
    const pins = pin(numbers, this.#slots.count, this.#pins);
    this.#pins = new Map([...this.#pins, ...pins]);
    this.#metrics.rebalances.inc();
    const incarnation = this.#assignment.nextIncarnation();
    const now = this.#frontierWatch.now();
    const limits = this.#options.limits.partition;
    const partitions = numbers.map(
      (partition) => new AssignedPartition(partition, pins.get(partition) ?? 0, incarnation, limits, now),
    );
    for (const partition of partitions) this.#assignment.add(partition);
    this.#options.logger.info({ partitions: numbers }, 'partitions assigned');
    await this.#opener.open(partitions);
    const pauseMs = this.#rebalances.resume(this.#ports.timers.now());
    if (pauseMs !== undefined) this.#metrics.rebalancePauses.observe(pauseMs / 1_000);
  }

  async onRevoked(revoked: TopicPartition[]): Promise<void> {
    this.#rebalances.pause(this.#ports.timers.now());
    const partitions = this.#assignment.at(revoked);
    for (const partition of partitions) partition.phase = 'draining';
    await settlesWithin(this.#ports.timers, this.#options.limits.drainTimeoutMs, this.#drain(partitions));
    await this.#committer.commit(partitions);
    this.#given = partitions;
    await this.#noteProgress(partitions);
    this.#opener.forget(partitions);
  }

  onLost(lost: TopicPartition[]): void {
    this.#rebalances.pause(this.#ports.timers.now());
    const partitions = this.#assignment.at(lost);
    if (partitions.length > 0)
      this.#options.logger.warn({ partitions: partitions.map(({ partition }) => partition) }, 'partitions lost');
    this.#given = partitions.length > 0 ? partitions : this.#given;
    this.#opener.forget(partitions);
  }

  onBatch({ partition: number, records, highWatermark }: FetchedBatch): void {
    const partition = this.#assignment.get(number);
    if (partition === undefined) return;
    partition.highWatermark = highWatermark;
    if (partition.phase === 'opening') {
      // Not taken: the opening ends with a seek to the first record that arrived meanwhile.
      partition.frontier ??= records[0]?.offset;
      partition.next ??= records[0]?.offset;
      return;
    }
    if (partition.phase === 'draining') return;
    const fresh = partition.fresh(records);
    const [first] = fresh;
    if (first === undefined) return;
    if (partition.next !== undefined && first.offset > partition.next)
      this.#logWatch.gap(partition, partition.next, first.offset);
    const { stages } = this.#ports;
    const before = stages.enter(stage.pack);
    const { buffer, bytes } = packBatch(fresh);
    partition.taken(fresh, bytes, this.#frontierWatch.now());
    stages.passed(stage.pack, fresh.length);
    stages.leave(before);
    this.#slots.at(partition.slot)?.take({ partition: number, incarnation: partition.incarnation, buffer });
    if (partition.full) this.#assignment.pause(partition, 'full');
  }

  #standing(): readonly Standing[] {
    return [...(this.#assignment.consumer?.health.standing ?? []), ...this.#frontierWatch.standing];
  }

  /** Records the group's position, for a later owner that may find the topic deleted. */
  async #noteProgress(partitions: AssignedPartition[]): Promise<void> {
    const { logs, timers } = this.#ports;
    if (logs === undefined) return;
    const progress = partitions.flatMap(({ partition, log, frontier = 0, highWatermark = 0, gaps }) =>
      log === undefined || gaps.length > 0
        ? []
        : [{ partition, log: log.log, position: frontier, endOffset: Math.max(frontier, highWatermark) }],
    );
    const recorded = logs.progress(progress).catch((error: unknown) => {
      const fields = { partitions: progress.map(({ partition }) => partition), reason: describeError(error) };
      this.#options.logger.warn(
        fields,
        'progress of partitions that were given up is not recorded; the last record of it stands',
      );
    });
    // The other members of the group wait for this revocation, so a slow database does not delay it further.
    await settlesWithin(timers, PROGRESS_MS_MAX, recorded);
  }

  #onReport(slot: number, report: SlotReport): void {
    switch (report.kind) {
      case 'progress': {
        const { stages } = this.#ports;
        const before = stages.enter(stage.schedule);
        const now = this.#frontierWatch.now();
        for (const progress of report.partitions) {
          const partition = this.#assignment.get(progress.partition);
          if (partition === undefined || partition.incarnation !== progress.incarnation) continue;
          this.#metrics.messages.inc(progress.messages);
          stages.passed(stage.schedule, progress.messages);
          partition.progressed(progress, now);
          if (partition.slack) this.#assignment.resume(partition, 'full');
        }
        stages.leave(before);
        return;
      }
      case 'fenced': {
        const partition = this.#assignment.get(report.partition);
        if (partition?.incarnation === report.incarnation) this.#opener.reclaim(partition);
        return;
      }
      case 'outage': {
        const { dependency, reason, since, stops } = report;
        if (this.#outages.note(`slot-${slot}`, dependency, reason, since, stops)) {
          this.#metrics.outages.inc({ dependency });
          this.#options.logger.error({ slot, dependency, reason }, `outage: ${outageEffects[stops]}`);
        }
        if (stops !== 'all') return;
        for (const partition of this.#assignment.ofSlot(slot)) this.#assignment.pause(partition, 'outage');
        return;
      }
      case 'recovered':
        this.#outages.clear(`slot-${slot}`, report.dependency);
        this.#options.logger.info({ slot, dependency: report.dependency, ...stateEnded }, 'outage over');
        if (!this.#outages.stopsAll(`slot-${slot}`))
          for (const partition of this.#assignment.ofSlot(slot)) this.#assignment.resume(partition, 'outage');
        return;
      case 'held':
        this.#onHeld(slot, report.count, report.longest);
        return;
      case 'poison': {
        const { kind: _, ...letter } = report;
        this.#options.logger.error(
          { slot, ...letter },
          'message parked: it goes to the dead-letter topic, and so do the later ones of its key',
        );
        return;
      }
    }
  }

  #onHeld(slot: number, count: number, longest: HeldMessage | undefined): void {
    const known = this.#held.get(slot);
    if (longest === undefined) {
      this.#held.delete(slot);
      if (known !== undefined) this.#options.logger.info({ slot }, 'no message waits alone any more');
      return;
    }
    this.#held.set(slot, { count, longest });
    if (known === undefined || known.longest.reason !== longest.reason)
      this.#options.logger.error({ slot, count, ...longest }, 'a message waits alone; the others go on');
  }

  /** For readiness: the message that waits longest, and how many more there are. */
  #heldSummary(): string | undefined {
    const all = [...this.#held.values()].toSorted((a, b) => a.longest.since - b.longest.since);
    const [first] = all;
    if (first === undefined) return undefined;
    const { key, partition, offset, since, reason } = first.longest;
    const count = this.#heldCount();
    const waitedS = Math.max(0, Math.round((this.#ports.timers.now() - since) / 1_000));
    const others = count > 1 ? ` and ${count - 1} more` : '';
    return `message ${key} (${partition}@${offset})${others} waits for ${waitedS} s: ${reason}`;
  }

  #heldCount(): number {
    return [...this.#held.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /**
   * The partitions of the dead thread wait for the new thread, and then go on from their frontiers. A partition that is being given up
   * stays closed: records that were fetched of it since then were not taken, so going on would skip them.
   */
  #onSlotDeath(slot: number, error: SlotDeathError): void {
    this.#metrics.slotDeaths.inc({ reason: error.reason });
    this.#options.logger.error({ slot, error: describeError(error) }, 'thread died; it is replaced');
    this.#outages.clear(`slot-${slot}`);
    this.#held.delete(slot);
    for (const partition of this.#assignment.ofSlot(slot)) {
      if (partition.phase === 'draining') continue;
      this.#assignment.restart(partition);
      // The dead thread can't report the end of an outage any more. The new thread finds out itself whether it lasts.
      partition.pauses.delete('outage');
    }
  }

  async #onSlotReplaced(slot: number): Promise<void> {
    await this.#opener.open([...this.#assignment.ofSlot(slot)].filter(({ phase }) => phase === 'opening'));
  }

  async #drain(partitions: AssignedPartition[]): Promise<void> {
    await Promise.all(
      [...this.#slots].map(async (slot) => {
        const own = partitions.filter((partition) => partition.slot === slot.index);
        if (own.length === 0 || !slot.running) return;
        const drained = await slot.drain(own.map(({ partition }) => partition)).catch((error: unknown) => {
          // Given up without a drain: the next owner repeats the work from the committed offset.
          this.#options.logger.warn(
            { slot: slot.index, reason: describeError(error) },
            'partitions could not be drained',
          );
          return [];
        });
        for (const { partition, frontier } of drained)
          own.find((candidate) => candidate.partition === partition)?.advance(frontier, this.#frontierWatch.now());
      }),
    );
  }
}
