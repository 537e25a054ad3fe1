import type { RoleName } from '../../contracts/roles.ts';
import { UsageError } from '../failure.ts';

/** The mirror's work is done by a process that isn't Node. */
export type ProfiledRole = Exclude<RoleName, 'mirror'>;

/** What a role does, and the counter in its metrics. */
const works: Record<ProfiledRole, { unit: string; counter: string }> = {
  gateway: { unit: 'orders', counter: 'ordermesh_gateway_orders_accepted_total' },
  'order-validator': { unit: 'messages', counter: 'ordermesh_runtime_messages_total' },
  payment: { unit: 'messages', counter: 'ordermesh_runtime_messages_total' },
  kitchen: { unit: 'messages', counter: 'ordermesh_runtime_messages_total' },
  display: { unit: 'updates', counter: 'ordermesh_display_updates_total' },
  bridge: { unit: 'messages', counter: 'ordermesh_runtime_messages_total' },
  warehouse: { unit: 'rows', counter: 'ordermesh_warehouse_rows_total' },
  loyalty: { unit: 'events', counter: 'ordermesh_loyalty_events_total' },
  edge: { unit: 'orders', counter: 'ordermesh_gateway_orders_accepted_total' },
};

export const profiledRoles = Object.keys(works) as ProfiledRole[];

export interface Counted {
  unit: string;
  count: number;
  /** When it was read, in milliseconds of a monotonic clock. */
  atMs: number;
}

/** What the role has done since it was started. @throws UsageError where none answers at this address */
export async function counted(role: ProfiledRole, admin: URL): Promise<Counted> {
  const { unit, counter } = works[role];
  let text: string;
  try {
    text = await (await fetch(new URL('/metrics', admin))).text();
  } catch (error) {
    throw new UsageError(`no ${role} answers at ${admin.origin}: start it, or give its admin address by --admin`, {
      cause: error,
    });
  }
  return { unit, count: sumOf(text, counter), atMs: performance.now() };
}

/** Over all labels of a counter in the Prometheus text format. */
function sumOf(text: string, counter: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith(counter) || !/[ {]/.test(line.charAt(counter.length))) continue;
    sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}
