import type { Place } from './pulse.ts';

/** A message that the actor was working on when its thread died, with the number of deaths. Plain data: it crosses the thread boundary. */
export interface Suspect extends Place {
  /** Deaths in which the actor worked on nothing else. */
  alone: number;
  /** Deaths in which it worked on other messages as well. */
  inCompany: number;
}

/** After this many deaths with nothing else at work, the message is the cause: unrelated deaths rarely meet one message so often. */
const DEATHS_ALONE_MAX = 3;
/** After this many deaths of any kind, the message is the cause too: another message whose step never ends may keep it from being alone. */
const DEATHS_MAX = 10;
/** A process remembers this many suspects; the oldest are forgotten. */
const SUSPECTS_MAX = 10_000;

const idOf = ({ partition, offset }: Place) => `${partition}:${offset}`;

/** Enough threads have died while this message was at work: it fails like any other poison, is retried and then parked. */
export class DeadlyMessageError extends Error {
  override name = 'DeadlyMessageError';
  readonly code = 'thread-deaths';
}

/** The suspects of one slot, kept by the main thread because it outlives the slot's threads. */
export class SuspectRecord {
  readonly #suspects = new Map<string, Suspect>();
  /** By partition, the log with which it was last opened. */
  readonly #logs = new Map<number, number>();

  get all(): Suspect[] {
    return [...this.#suspects.values()];
  }

  /**
   * The partition is opened. If its log has changed, its suspects are forgotten, because their offsets are other messages now.
   * @returns whether the log has changed
   */
  enter(partition: number, log: number): boolean {
    const before = this.#logs.get(partition);
    this.#logs.set(partition, log);
    if (before === undefined || before === log) return false;
    forgetPartition(this.#suspects, partition);
    return true;
  }

  /** The messages that were at work when the thread died. */
  blame(places: readonly Place[]): void {
    const alone = places.length === 1;
    for (const { partition, offset } of places) {
      const id = idOf({ partition, offset });
      const suspect = this.#suspects.get(id) ?? { partition, offset, alone: 0, inCompany: 0 };
      this.#suspects.delete(id);
      this.#suspects.set(id, {
        ...suspect,
        ...(alone ? { alone: suspect.alone + 1 } : { inCompany: suspect.inCompany + 1 }),
      });
    }
    for (const id of this.#suspects.keys()) {
      if (this.#suspects.size <= SUSPECTS_MAX) return;
      this.#suspects.delete(id);
    }
  }

  /** The actor has finished with the message, so it is no suspect any more. */
  clear(place: Place): void {
    this.#suspects.delete(idOf(place));
  }

  /** The message is parked. It stays a suspect, but its deaths are counted from 0 again, so that a replay has all attempts. */
  parked(place: Place): void {
    pardon(this.#suspects, place);
  }
}

/** What a thread tells the main thread of a suspect. */
export type SuspectNews = { kind: 'cleared'; place: Place } | { kind: 'parked'; place: Place };

/** The suspects of one slot, as the slot's thread knows them. */
export class SlotSuspects {
  readonly #suspects: Map<string, Suspect>;
  readonly #tell: (news: SuspectNews) => void;

  constructor(suspects: readonly Suspect[], tell: (news: SuspectNews) => void) {
    this.#suspects = new Map(suspects.map((suspect) => [idOf(suspect), suspect]));
    this.#tell = tell;
  }

  /** Whether the slot has a suspect. */
  get any(): boolean {
    return this.#suspects.size > 0;
  }

  has(place: Place): boolean {
    return this.any && this.#suspects.has(idOf(place));
  }

  /** The partition's log has changed: see `SuspectRecord.enter`. */
  forget(partition: number): void {
    if (this.any) forgetPartition(this.#suspects, partition);
  }

  /** @throws DeadlyMessageError if the message must not be worked on any more */
  checkDeadly(place: Place): void {
    const suspect = this.any ? this.#suspects.get(idOf(place)) : undefined;
    if (suspect === undefined) return;
    const { alone, inCompany } = suspect;
    if (alone < DEATHS_ALONE_MAX && alone + inCompany < DEATHS_MAX) return;
    throw new DeadlyMessageError(
      `${alone + inCompany} threads died (ended, ran out of memory or never returned) while it was at work, ${alone} with nothing else at work`,
    );
  }

  /** The actor has finished with the message. */
  cleared({ partition, offset }: Place): void {
    const place = { partition, offset };
    if (this.#suspects.delete(idOf(place))) this.#tell({ kind: 'cleared', place });
  }

  /** The message is parked durably. */
  parked({ partition, offset }: Place): void {
    const place = { partition, offset };
    if (!this.has(place)) return;
    pardon(this.#suspects, place);
    this.#tell({ kind: 'parked', place });
  }
}

function forgetPartition(suspects: Map<string, Suspect>, partition: number): void {
  for (const [id, suspect] of suspects) if (suspect.partition === partition) suspects.delete(id);
}

function pardon(suspects: Map<string, Suspect>, place: Place): void {
  const suspect = suspects.get(idOf(place));
  if (suspect !== undefined) suspects.set(idOf(place), { ...suspect, alone: 0, inCompany: 0 });
}
