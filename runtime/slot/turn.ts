import type { Outputs } from '../actor.ts';
import { faultOf, strikesSome } from '../outage.ts';
import type { MessageEntry } from './message-entry.ts';

/** What one transaction did. Messages of fenced partitions and withdrawn messages were left out of it. */
export interface Applied {
  fenced: ReadonlySet<number>;
  /** Replayed messages that an operator has taken out of their replay or discarded. */
  withdrawn?: ReadonlySet<MessageEntry>;
  /** One entry for each message that was not left out, in the order of the messages. */
  outputs: readonly Outputs[];
}

/** Applies the messages in one fenced transaction. Rejects when it was rolled back. */
export type Transact = (entries: readonly MessageEntry[]) => Promise<Applied>;

export interface TurnResult {
  applied: { entry: MessageEntry; outputs: Outputs }[];
  failed: { entry: MessageEntry; error: unknown }[];
  withdrawn: MessageEntry[];
  fenced: Set<number>;
  /** Not applied because of an outage; to be tried again. */
  held: MessageEntry[];
  outage: unknown;
}

/** A turn that conflicts with another transaction is repeated at once this many times. After that it waits like in an outage. */
const CONFLICTS_MAX = 5;

/**
 * If this many messages are refused alone in a row and none was applied before, the outage concerns all messages, and the rest of the turn
 * is not tried.
 */
const REFUSED_ALONE_MAX = 2;

/**
 * Applies a turn for `SlotEngine`. When its transaction fails, the turn is split in halves until the failing messages are alone; the others
 * succeed. An outage ends the turn and blames no message. An outage that may concern only some messages (`strikesSome`) also splits the
 * turn, and the messages that meet it alone are held.
 */
export async function runTurn(entries: readonly MessageEntry[], transact: Transact): Promise<TurnResult> {
  const result: TurnResult = {
    applied: [],
    failed: [],
    withdrawn: [],
    fenced: new Set(),
    held: [],
    outage: undefined,
  };
  const groups: (readonly MessageEntry[])[] = [entries];
  let conflicts = 0;
  let refusedAlone = 0;
  for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
    try {
      take(result, group, await transact(group));
    } catch (error) {
      const fault = faultOf(error);
      if (fault === 'message') {
        const [first] = group;
        if (group.length === 1 && first !== undefined) result.failed.push({ entry: first, error });
        else groups.push(group.slice(group.length >> 1), group.slice(0, group.length >> 1));
      } else if (fault === 'conflict' && conflicts++ < CONFLICTS_MAX) {
        groups.push(group);
      } else if (strikesSome(error) && (result.applied.length > 0 || refusedAlone < REFUSED_ALONE_MAX)) {
        const [first] = group;
        if (group.length === 1 && first !== undefined) {
          refusedAlone++;
          result.outage = error;
          result.held.push(first);
        } else groups.push(group.slice(group.length >> 1), group.slice(0, group.length >> 1));
      } else {
        result.outage = error;
        result.held.push(...group, ...groups.flat());
        return result;
      }
    }
  }
  return result;
}

function take(result: TurnResult, group: readonly MessageEntry[], { fenced, withdrawn, outputs }: Applied): void {
  for (const partition of fenced) result.fenced.add(partition);
  let next = 0;
  for (const entry of group) {
    if (withdrawn?.has(entry)) result.withdrawn.push(entry);
    else if (!fenced.has(entry.partition)) result.applied.push({ entry, outputs: outputs[next++] ?? [] });
  }
}
