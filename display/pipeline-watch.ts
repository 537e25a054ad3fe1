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
  /** Records that their group has not worked off for this long stand, in milliseconds. */
  standsAfterMs: number;
  /** Called after each look. */
  onLook(standstill: Standstill | undefined): void;
}

/** A place where records wait. */
interface Place {
  /** Where the log ended at earlier looks, oldest first: the first of these that the group has not reached tells for how long the oldest record has waited. */
  ends: LogEnd[];
  /** The group's position when records were first seen waiting. */
  from: number;
  position: number;
}

interface LogEnd {
  offset: number;
  at: number;
}

/** Past this, every second end is forgotten: a wait is then told as shorter than it is by a few looks at most. */
const ENDS_MAX = 64;

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
    let oldest: { name: string; place: Place; since: number } | undefined;
    for (const [name, place] of this.#places) {
      const since = place.ends[0]?.at ?? now;
      if (oldest === undefined || since < oldest.since) oldest = { name, place, since };
    }
    if (oldest === undefined || now - oldest.since < standsAfterMs) return undefined;
    const { name, place, since } = oldest;
    const how = place.position > place.from ? 'works them off more slowly than they come' : 'does not move';
    return { since, reason: `orders wait at ${name}, which ${how}` };
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
        const known = committed.get(partition) ?? earliest;
        // A position beyond the end is one of an earlier topic of this name: in this one nothing has been worked off.
        const position = known > latest ? earliest : Math.max(known, earliest);
        if (position >= latest) continue;
        const name = `${group}, partition ${partition}`;
        places.set(name, placeAt(this.#places.get(name), position, { offset: latest, at: clock.now() }));
      }
    }
    this.#places = places;
    this.#answeredAt = clock.now();
  }
}

/** The place after another look at it. */
function placeAt(before: Place | undefined, position: number, end: LogEnd): Place {
  // A log that is shorter than before is another one.
  const known = before?.ends.filter(({ offset }) => offset > position && offset <= end.offset) ?? [];
  if (known.at(-1)?.offset !== end.offset) known.push(end);
  const ends = known.length > ENDS_MAX ? known.filter((_, index) => index % 2 === 0) : known;
  // Reached all that was there at the looks before: what waits now has only just come.
  const from = before !== undefined && known[0] !== end ? before.from : position;
  return { ends, from, position };
}
