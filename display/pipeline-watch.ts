import type { Clock } from '../contracts/clock.ts';
import type { Admin } from '../kafka/index.ts';

/** A group that orders pass through on their way to a ticket. */
export interface PipelineStage {
  group: string;
  topic: string;
}

/** Why orders may be on their way to the screens without getting there. */
export interface Standstill {
  /** Milliseconds since the epoch. */
  since: number;
  /** For operators. */
  reason: string;
}

export interface PipelineWatchOptions {
  stages: readonly PipelineStage[];
  admin: Pick<Admin, 'offsets' | 'committedOffsets'>;
  clock: Clock;
  /** Time between looks, in milliseconds. */
  intervalMs: number;
  /** Records that wait while their group commits nothing for this long stand, in milliseconds. */
  standsAfterMs: number;
  /** Called after each look. */
  onLook(standstill: Standstill | undefined): void;
}

interface Place {
  committed: number;
  /** When the position was first seen with records behind it. */
  since: number;
}

/**
 * Looks from the outside whether orders get through to the kitchen: a partition with records that its group does not work off stands, whatever the
 * group says of itself. A screen that shows no tickets meanwhile must not say that all are done.
 */
export class PipelineWatch {
  readonly #options: PipelineWatchOptions;
  /** By group and partition; only places where records wait. */
  #places = new Map<string, Place>();
  #timer: NodeJS.Timeout | undefined;
  #answeredAt: number;
  #failure = 'no answer';
  #isLooking = false;
  #closed = false;

  constructor(options: PipelineWatchOptions) {
    this.#options = options;
    this.#answeredAt = options.clock.now();
    this.#timer = setInterval(() => this.#tick(), options.intervalMs);
  }

  /** `undefined` while orders get through. */
  get standstill(): Standstill | undefined {
    const { clock, standsAfterMs } = this.#options;
    const now = clock.now();
    if (now - this.#answeredAt > standsAfterMs)
      return { since: this.#answeredAt, reason: `the order log does not answer (${this.#failure})` };
    let oldest: [name: string, place: Place] | undefined;
    for (const entry of this.#places) if (oldest === undefined || entry[1].since < oldest[1].since) oldest = entry;
    if (oldest === undefined || now - oldest[1].since < standsAfterMs) return undefined;
    return { since: oldest[1].since, reason: `orders wait at ${oldest[0]}, which does not move` };
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  /** One look at a time: while the log does not answer, the one that waits is enough. */
  #tick(): void {
    if (this.#isLooking) {
      this.#options.onLook(this.standstill);
      return;
    }
    this.#isLooking = true;
    this.look()
      .catch((error: Error) => {
        this.#failure = error.message;
      })
      .finally(() => {
        this.#isLooking = false;
        if (!this.#closed) this.#options.onLook(this.standstill);
      });
  }

  /** @throws when the log does not answer; then the places stay as they were */
  async look(): Promise<void> {
    const { stages, admin, clock } = this.#options;
    const places = new Map<string, Place>();
    for (const { group, topic } of stages) {
      // The committed positions first: records that come between the two questions only look as if they waited for one look.
      const committed = await admin.committedOffsets(group, topic);
      for (const { partition, earliest, latest } of await admin.offsets(topic)) {
        const position = Math.max(committed.get(partition) ?? earliest, earliest);
        if (position >= latest) continue;
        const name = `${group}, partition ${partition}`;
        const before = this.#places.get(name);
        const since = before?.committed === position ? before.since : clock.now();
        places.set(name, { committed: position, since });
      }
    }
    this.#places = places;
    this.#answeredAt = clock.now();
  }
}
