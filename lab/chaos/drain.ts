// Tells whether a run's work is done: commits and tickets. Asked by main.ts after the last fault.

import type { ConnectedConfig } from '../../contracts/config/config.ts';
import { withAdmin } from '../../kafka/index.ts';
import { openTicketCounts, withDatabase } from '../../store/index.ts';
import { partitionProgress } from './liveness/progress.ts';

/** Whether every group has committed all that its topic holds. */
export async function isCommitted(config: ConnectedConfig): Promise<boolean> {
  const all = await withAdmin(config, partitionProgress);
  return all.every(({ committed, end }) => committed >= end);
}

/** Tickets that wait for the crew, in all stores. */
export function openTickets(config: ConnectedConfig): Promise<number> {
  return withDatabase(config, async (sql) => {
    const counts = await openTicketCounts(sql);
    return counts.reduce((sum, { open }) => sum + open, 0);
  });
}
