import type { Actor, Item, Message } from './actor.ts';
import { checkDecoded, checkOutputs, thrown } from './actor-checks.ts';
import { Isolation } from './isolation.ts';
import type { Place, Pulse } from './pulse.ts';

/** A message that was at work when its thread died, and how often. Plain data: it crosses the thread boundary. */
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
      this.#suspects.set(id, { partition: place.partition, offset: place.offset, deaths });
    }
    for (const id of this.#suspects.keys()) {
      if (this.#suspects.size <= SUSPECTS_MAX) return;
      this.#suspects.delete(id);
    }
  }

  /** The actor came through with it. */
  clear(place: Place): void {
    this.#suspects.delete(idOf(place));
  }
}

/** Threads died of it often enough: from now on it fails like any other poison, is retried and then parked. */
export class DeadlyMessageError extends Error {
  override name = 'DeadlyMessageError';
  readonly code = 'thread-deaths';
}

export interface WatchedOptions {
  pulse: Pulse;
  suspects: readonly Suspect[];
  /** The actor came through with a suspect. */
  onCleared(place: Place): void;
}

/**
 * The actor with its messages shown in the pulse while it is at work on them, and with what it returns and throws checked. A suspect is prepared
 * and applied alone, with nothing else of the thread under way, so that the next death tells which of many messages it was; one that was deadly
 * often enough is not given to the actor any more.
 */
export function watched(actor: Actor<unknown, unknown>, options: WatchedOptions): Actor<unknown, unknown> {
  const { pulse, suspects, onCleared } = options;
  const deaths = new Map(suspects.map((suspect) => [idOf(suspect), suspect.deaths]));
  const deathsOf = (message: Message) => (deaths.size === 0 ? 0 : (deaths.get(idOf(message)) ?? 0));
  const isolation = new Isolation();
  const { prepare, apply, close } = actor;
  const last = apply ?? prepare;
  // For an actor that only decodes, taking the key out of the batch would be a large part of the work.
  const keyOf = last === undefined ? () => '' : (message: Message) => message.key;

  /** Computing until `step` returns, then waiting until its promise is settled. */
  const shown = async <T>(messages: readonly Message[], step: () => Promise<T>): Promise<T> => {
    const rows = pulse.begin(messages);
    try {
      const outcome = step();
      pulse.wait(rows);
      return await outcome;
    } finally {
      pulse.end(rows);
    }
  };
  const isolated = async <T>(messages: readonly Message[], called: unknown, step: () => Promise<T>): Promise<T> => {
    if (deaths.size === 0) return await shown(messages, step);
    const suspect = messages.find((message) => deathsOf(message) > 0);
    if (suspect !== undefined && messages.length > 1)
      throw new Error('a message that a thread may have died of is applied alone');
    const result = await isolation.run(suspect !== undefined, () => shown(messages, step));
    if (suspect !== undefined && called === last) {
      deaths.delete(idOf(suspect));
      onCleared({ partition: suspect.partition, offset: suspect.offset });
    }
    return result;
  };

  return {
    decode(message) {
      const times = deathsOf(message);
      if (times >= DEATHS_MAX)
        throw new DeadlyMessageError(
          `${times} threads died (ended, ran out of memory or never returned) of this message`,
        );
      pulse.enter(message, keyOf(message));
      try {
        return checkDecoded(actor.decode(message));
      } catch (error) {
        throw thrown('decode', error);
      } finally {
        pulse.leave();
      }
    },
    ...(prepare && {
      async prepare(input: unknown, message: Message) {
        try {
          return await isolated([message], prepare, () => prepare.call(actor, input, message));
        } catch (error) {
          throw thrown('prepare', error);
        }
      },
    }),
    ...(apply && {
      async apply(items: readonly Item<unknown, unknown>[], transaction) {
        const messages = items.map(({ message }) => message);
        try {
          return await isolated(messages, apply, async () =>
            checkOutputs(await apply.call(actor, items, transaction), messages),
          );
        } catch (error) {
          throw thrown('apply', error);
        }
      },
    }),
    ...(close && { close: () => close.call(actor) }),
  };
}
