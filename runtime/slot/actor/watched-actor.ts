import type { Actor, Item, Message } from '../../actor.ts';
import type { Timers } from '../../timers.ts';
import type { Pulse } from '../../wire/pulse.ts';
import type { SlotSuspects } from '../../wire/suspects.ts';
import { checkDecoded, checkOutputs, thrown } from './actor-checks.ts';
import { Isolation } from './isolation.ts';

export interface WatchedOptions {
  pulse: Pulse;
  suspects: SlotSuspects;
  timers: Timers;
}

/**
 * Wraps an actor: shows its messages in the pulse while it works on them, and checks what it returns and throws. A suspect is prepared and
 * applied alone, so that the next death of the thread shows which of many messages was the cause. A message that was deadly often enough is
 * not given to the actor any more.
 */
export function watched(actor: Actor<unknown, unknown>, options: WatchedOptions): Actor<unknown, unknown> {
  const { pulse, suspects, timers } = options;
  const isolation = new Isolation(timers);
  const { prepare, prepareAtOnce, apply, completed, close } = actor;
  const last = apply ?? prepare;
  // For an actor that only decodes, reading the key from the batch would be a large part of the work.
  const keyOf = last === undefined ? () => '' : (message: Message) => message.key;

  /** Shows the messages as computing until `step` returns, then as waiting until its promise is settled. */
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
    if (!suspects.any) return await shown(messages, step);
    const suspect = messages.find((message) => suspects.has(message));
    if (suspect !== undefined && messages.length > 1)
      throw new Error('a message that a thread may have died of is applied alone');
    const result = await isolation.run(suspect !== undefined, () => shown(messages, step));
    if (suspect !== undefined && called === last) suspects.cleared(suspect);
    return result;
  };

  return {
    decode(message) {
      suspects.checkDeadly(message);
      pulse.enter(message, keyOf(message));
      try {
        const decoded = checkDecoded(actor.decode(message));
        if (last === undefined && suspects.any) suspects.cleared(message);
        return decoded;
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
    ...(prepareAtOnce && {
      prepareAtOnce(input: unknown, message: Message) {
        try {
          const prepared = prepareAtOnce.call(actor, input, message);
          if (prepared !== undefined && apply === undefined && suspects.any) suspects.cleared(message);
          return prepared;
        } catch (error) {
          throw thrown('prepareAtOnce', error);
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
    ...(completed && { completed: (input: unknown, message: Message) => completed.call(actor, input, message) }),
    ...(close && { close: () => close.call(actor) }),
  };
}
