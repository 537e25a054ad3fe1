import type { ConnectedConfig } from '../cli/environment.ts';
import { withAdmin, withDatabase } from '../cli/servers.ts';
import { groups, subscriptions } from '../contracts/topics.ts';
import { openTicketCounts } from '../store/ticket-board.ts';

/** Whether every group has committed all that its topic holds. No bridge takes part. */
export function isCommitted(config: ConnectedConfig): Promise<boolean> {
  return withAdmin(config, async (admin) => {
    for (const { group, topic } of subscriptions) {
      if (group === groups.bridge) continue;
      const committed = await admin.committedOffsets(group, topic);
      const ranges = await admin.offsets(topic);
      if (ranges.some(({ partition, latest }) => latest > (committed.get(partition) ?? 0))) return false;
    }
    return true;
  });
}

/** Tickets that wait for the crew, in all stores. */
export function openTickets(config: ConnectedConfig): Promise<number> {
  return withDatabase(config, async (sql) => {
    const counts = await openTicketCounts(sql);
    return counts.reduce((sum, { open }) => sum + open, 0);
  });
}
