import type { Actor, Item, Message } from './actor.ts';
import type { Place, Pulse } from './pulse.ts';

/** A message that was computed on when its thread died, and how often. Plain data: it crosses the thread boundary. */
export interface Suspect extends Place {
  deaths: number;
}

/** So many threads may die of a message. */
const DEATHS_MAX = 3;
/** A process remembers so many suspects; the oldest are forgotten. */
const SUSPECTS_MAX = 10_000;

const idOf = ({ partition, offset }: Place) => `${partition}:${offset}`;

/** The main thread's record of one slot: it outlives the threads. */
export class SuspectRecord {
  readonly #suspects = new Map<string, Suspect>();

  get all(): Suspect[] {
    return [...this.#suspects.values()];
  }

  blame(places: readonly Place[]): void {
    for (const place of places) {
      const id = idOf(place);
      const deaths = (this.#suspects.get(id)?.deaths ?? 0) + 1;
      this.#suspects.delete(id);
      this.#suspects.set(id, { ...place, deaths });
    }
    for (const id of this.#suspects.keys()) {
      if (this.#suspects.size <= SUSPECTS_MAX) return;
      this.#suspects.delete(id);
    }
  }
}

/** A thread died of it often enough: from now on it fails like any other poison, is retried and then parked. */
export class DeadlyMessageError extends Error {
  override name = 'DeadlyMessageError';
  readonly code = 'thread-deaths';
}

/**
 * The actor with its messages shown in the pulse while it computes. A suspect gets a turn of its own, so that the next death tells which
 * of a turn's messages it was; one that was deadly often enough is not given to the actor any more.
 */
export function watched(
  actor: Actor<unknown, unknown>,
  pulse: Pulse,
  suspects: readonly Suspect[],
): Actor<unknown, unknown> {
  const deaths = new Map(suspects.map((suspect) => [idOf(suspect), suspect.deaths]));
  const deathsOf = (message: Message) => (deaths.size === 0 ? 0 : (deaths.get(idOf(message)) ?? 0));
  /** Only what runs without waiting is shown: afterwards the thread is another message's. */
  const shown = <T>(compute: () => T): T => {
    try {
      return compute();
    } finally {
      pulse.leave();
    }
  };
  const { prepare, apply } = actor;
  return {
    decode(message) {
      const times = deathsOf(message);
      if (times >= DEATHS_MAX)
        throw new DeadlyMessageError(
          `${times} threads died (ended, ran out of memory or never returned) of this message`,
        );
      pulse.enterOne(message);
      return shown(() => actor.decode(message));
    },
    ...(prepare && {
      prepare(input: unknown, message: Message) {
        pulse.enterOne(message);
        return shown(() => prepare.call(actor, input, message));
      },
    }),
    ...(apply && {
      async apply(items: readonly Item<unknown, unknown>[], transaction) {
        if (items.length > 1 && deaths.size > 0 && items.some(({ message }) => deathsOf(message) > 0))
          throw new Error('a message that a thread may have died of is applied alone');
        pulse.enter(items.map(({ message }) => message));
        return await shown(() => apply.call(actor, items, transaction));
      },
    }),
    ...(actor.close && { close: () => actor.close?.() ?? Promise.resolve() }),
  };
}
