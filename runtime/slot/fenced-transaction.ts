import {
  applyReplayed,
  holdEpochs,
  type SessionPool,
  type Subscription,
  stalePartitions,
  type TurnSql,
} from '../../store/index.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import type { StageClock } from '../../telemetry/stages/stage-clock.ts';
import type { Actor, Item } from '../actor.ts';
import type { MessageEntry } from './message-entry.ts';
import type { Transact } from './turn.ts';

/**
 * Makes the `transact` of a slot: one turn's transaction. The fence is its first statement, and the actor's statements are sent right
 * behind it without waiting for its answer. If the fence fails, the server refuses all of them, and the turn is repeated without the
 * partitions that have a newer owner.
 */
export function fencedTransaction(
  apply: NonNullable<Actor<unknown, unknown>['apply']>,
  sessions: SessionPool,
  on: Subscription,
  stages: StageClock,
): Transact {
  return async (entries) => {
    const fenced = new Set<number>();
    for (;;) {
      const current = fenced.size === 0 ? entries : entries.filter(({ partition }) => !fenced.has(partition));
      if (current.length === 0) return { fenced, outputs: [] };
      const epochs = new Map(current.map(({ mailbox }) => [mailbox.partition, mailbox.epoch ?? -1]));
      try {
        const applied = await sessions.transaction(
          (sql) => holdEpochs(sql, on, epochs),
          async (sql) => {
            const withdrawn = await withdrawnOf(current, sql, on);
            const wanted = current.filter((entry) => !withdrawn.has(entry));
            // The answers of the statements bring the thread back into this stage (store/database/statement-gate.ts).
            stages.at(stage.decide);
            const outputs = wanted.length === 0 ? [] : await apply(wanted.map(item), sql);
            if (outputs.length !== wanted.length)
              throw new TypeError(`apply() returned outputs of ${outputs.length} items for ${wanted.length} items`);
            return { withdrawn, outputs };
          },
        );
        if (applied.outputs.length > 0) stages.passed(stage.decide, applied.outputs.length);
        return { fenced, ...applied };
      } catch (error) {
        const stale = stalePartitions(error);
        if (stale === undefined) throw error;
        for (const partition of stale) fenced.add(partition);
      }
    }
  };
}

/**
 * Replayed messages that must have no effect any more, because an operator has stopped the replay or discarded them. Costs nothing for a
 * turn of live messages.
 */
async function withdrawnOf(
  entries: readonly MessageEntry[],
  sql: TurnSql,
  on: Subscription,
): Promise<ReadonlySet<MessageEntry>> {
  const replayed = entries.filter(({ replay }) => replay !== undefined);
  const withdrawn = new Set(replayed);
  if (replayed.length > 0) for (const entry of await applyReplayed(sql, on, replayed)) withdrawn.delete(entry);
  return withdrawn;
}

function item(entry: MessageEntry): Item<unknown, unknown> {
  return { message: entry, input: entry.input, prepared: entry.prepared };
}
