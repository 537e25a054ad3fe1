import type { ConnectedConfig } from '../cli/environment.ts';
import { withAdmin, withDatabase } from '../cli/servers.ts';
import { groups, subscriptions } from '../contracts/topics.ts';
import { openTicketCounts } from '../store/ticket-board.ts';

/** How far a group has come in its topic. */
export interface Progress {
  group: string;
  /** The sum of its committed positions. */
  committed: number;
  /** Records behind them. */
  lag: number;
}

/** Of every group that takes part; no bridge does. */
export function progressOf(config: ConnectedConfig): Promise<Progress[]> {
  return withAdmin(config, async (admin) => {
    const all: Progress[] = [];
    for (const { group, topic } of subscriptions) {
      if (group === groups.bridge) continue;
      const positions = await admin.committedOffsets(group, topic);
      const ranges = await admin.offsets(topic);
      const committed = ranges.reduce((sum, { partition }) => sum + (positions.get(partition) ?? 0), 0);
      all.push({ group, committed, lag: ranges.reduce((sum, { latest }) => sum + latest, 0) - committed });
    }
    return all;
  });
}

/** Whether every group has committed all that its topic holds. */
export async function isCommitted(config: ConnectedConfig): Promise<boolean> {
  return (await progressOf(config)).every(({ lag }) => lag === 0);
}

/** Tickets that wait for the crew, in all stores. */
export function openTickets(config: ConnectedConfig): Promise<number> {
  return withDatabase(config, async (sql) => {
    const counts = await openTicketCounts(sql);
    return counts.reduce((sum, { open }) => sum + open, 0);
  });
}
