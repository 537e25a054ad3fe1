// Watches whether orders get through to the kitchen. Created by server.ts.

import type { Clock } from '../contracts/clock.ts';
import type { Admin } from '../kafka/index.ts';

/** A consumer group that processes orders before they are tickets. */
export interface PipelineStage {
  group: string;
  topic: string;
}

/** Why orders may not reach the screens. */
export interface Standstill {
  /** Milliseconds since 1970. */
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
  /** A partition stands when its group has not processed a record for this long, in milliseconds. */
  standsAfterMs: number;
  /** Called after each look. */
  onLook(standstill: Standstill | undefined): void;
}

/** A partition with records that wait for a group. */
interface Place {
  /** Ends of the log at earlier looks that the group has not reached, oldest first. The oldest record has waited since the first of them, or longer. */
  ends: LogEnd[];
  /** The group's position when records were first seen waiting. */
  from: number;
  position: number;
}

interface LogEnd {
  offset: number;
  at: number;
}

/** Above this number every second end is dropped; the reported wait is then too short by a few looks at most. */
const ENDS_MAX = 64;

/**
 * Checks from outside whether orders get through to the kitchen: a partition with records that its group does not process stands, whatever the group
 * reports. Meanwhile an empty screen must not say that all orders are done.
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

  /** One look at a time: while Kafka does not answer, no second request is sent. */
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

  /** @throws when Kafka does not answer; the places do not change then */
  async look(): Promise<void> {
    const { stages, admin, clock } = this.#options;
    const places = new Map<string, Place>();
    for (const { group, topic } of stages) {
      // The committed positions are read first: a record that comes between the two requests then counts as waiting for one look only.
      const committed = await admin.committedOffsets(group, topic);
      for (const { partition, earliest, latest } of await admin.offsets(topic)) {
        const known = committed.get(partition) ?? earliest;
        // A position beyond the end belongs to an earlier topic of this name: in the current topic the group has processed nothing.
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

/** The entry of a partition after another look. */
function placeAt(before: Place | undefined, position: number, end: LogEnd): Place {
  // An end beyond the current end belongs to an earlier topic of this name.
  const known = before?.ends.filter(({ offset }) => offset > position && offset <= end.offset) ?? [];
  if (known.at(-1)?.offset !== end.offset) known.push(end);
  const ends = known.length > ENDS_MAX ? known.filter((_, index) => index % 2 === 0) : known;
  // The group has reached every earlier end, so only new records wait.
  const from = before !== undefined && known[0] !== end ? before.from : position;
  return { ends, from, position };
}
