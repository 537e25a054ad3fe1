import { Counter, Gauge, type Registry } from 'prom-client';
import { type PartitionHealth, sourceFaults } from './replication-health.ts';

/** The metrics of a mirror. */
export class MirrorMetrics {
  readonly running: Gauge;
  readonly restarts: Counter;
  readonly standing: Gauge;
  readonly #lag: Gauge<'topic' | 'partition'>;
  readonly #faults: Gauge<'fault'>;

  /** @param isAlone whether the other region has not answered since the start */
  constructor(registry: Registry, isAlone: () => boolean) {
    const registers = [registry];
    new Gauge({
      name: 'ordermesh_region_alone',
      help: '1 while the other region has not answered since the start, so that this one goes by its own log about who is active.',
      registers,
      collect() {
        this.set(isAlone() ? 1 : 0);
      },
    });
    this.running = new Gauge({
      name: 'ordermesh_mirror_running',
      help: 'Whether the other region is copied into this one now.',
      registers,
    });
    this.standing = new Gauge({
      name: 'ordermesh_mirror_standing',
      help: '1 while records of the source wait and MirrorMaker copies none.',
      registers,
    });
    this.#lag = new Gauge({
      name: 'ordermesh_mirror_lag_records',
      help: 'Records of the source that were not copied yet.',
      labelNames: ['topic', 'partition'],
      registers,
    });
    this.#faults = new Gauge({
      name: 'ordermesh_mirror_source_faults',
      help: 'Partitions of the source whose records were truncated, recreated or skipped: MirrorMaker itself goes on without a word.',
      labelNames: ['fault'],
      registers,
    });
    this.restarts = new Counter({
      name: 'ordermesh_mirror_restarts_total',
      help: 'How often MirrorMaker was started again because it ended or copied nothing.',
      registers,
    });
  }

  show(health: readonly PartitionHealth[]): void {
    for (const { topic, partition, lag } of health) this.#lag.set({ topic, partition: String(partition) }, lag);
    for (const fault of sourceFaults) this.#faults.set({ fault }, health.filter(({ state }) => state === fault).length);
  }

  /** Nothing is copied, so nothing is behind. */
  clear(): void {
    this.running.set(0);
    this.standing.set(0);
    this.#lag.reset();
    this.#faults.reset();
  }
}
