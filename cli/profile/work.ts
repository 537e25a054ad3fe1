// Reads from the metrics of a role how much work it has done, for `ordermesh profile`.

import { UsageError } from '../../contracts/failure.ts';
import type { RoleName } from '../../contracts/roles.ts';

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

const METRICS_MS_MAX = 5_000;

/** What the role has done since it was started. @throws UsageError when no role, or another role, answers at this address */
export async function counted(role: ProfiledRole, admin: URL, headers: Record<string, string> = {}): Promise<Counted> {
  const { unit, counter } = works[role];
  const { status, text } = await asked(role, new URL('/metrics', admin), METRICS_MS_MAX, headers);
  if (status === 401)
    throw new UsageError(
      `${role} at ${admin.origin} asks for a token: set ORDERMESH_ADMIN_TOKEN or ORDERMESH_ADMIN_TOKEN_FILE to the one that the role has`,
    );
  const found = roleOf(text);
  if (status !== 200 || found !== role)
    throw new UsageError(
      `${admin.origin} is not the admin address of ${role}: ${status === 200 ? `its metrics are of ${found ?? 'no role'}` : `it answers ${status}`}; give the right one by --admin`,
    );
  return { unit, count: sumOf(text, counter), atMs: performance.now() };
}

/** Asks a role. @throws UsageError when the role does not answer within `msMax`, or cannot be reached */
export async function asked(
  role: ProfiledRole,
  url: URL,
  msMax: number,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(msMax) });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const hangs = error instanceof Error && error.name === 'TimeoutError';
    throw new UsageError(
      hangs
        ? `${role} at ${url.origin} does not answer within ${msMax / 1_000} s: it hangs or is stopped`
        : `no ${role} answers at ${url.origin}: start it, or give its admin address by --admin`,
      { cause: error },
    );
  }
}

/** The role that the metrics name: each metric of a role has that label. */
function roleOf(text: string): string | undefined {
  return /[{,]role="([^"]*)"/.exec(text)?.[1];
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
