// Reads what every process of a sustained run has done and used so far. Called by sustained.ts; costs.ts subtracts two readings.

import type { RoleName } from '../../contracts/roles.ts';
import type { System } from '../../stack/system/index.ts';
import { readStages } from '../../telemetry/stages/stage-costs.ts';
import type { ThreadStages } from '../../telemetry/stages/stage-metrics.ts';
import { processorTimes, serverPids } from '../capacity/processor-time.ts';
import { threadTimes } from './thread-times.ts';

/** What one role has used. Processor times in microseconds. */
export interface RoleReading {
  processUs: number;
  /** By the system's name of the thread. */
  threadsUs: Record<string, number>;
  stages: ThreadStages[];
}

export interface Reading {
  /** By `performance.now()`. */
  atMs: number;
  /** Orders for which the kitchen has opened a ticket. */
  tickets: number;
  roles: Partial<Record<RoleName, RoleReading>>;
  /** Of processes without a stage clock: servers, emulators, the generator. */
  othersUs: Record<string, number>;
}

const TICKETS = /^ordermesh_order_age_seconds_count\{[^}]*step="ticket"[^}]*\} (\S+)$/m;

/** @param generator the process that sends the orders */
export async function readAll(system: System, generator: number): Promise<Reading> {
  const addresses = new Map(system.addresses);
  const reading: Reading = { atMs: 0, tickets: 0, roles: {}, othersUs: {} };
  const servers = await serverPids(system.config.ORDERMESH_DATA_DIR);
  // The roles are children of this process, so that its whole tree would count them again.
  const { user, system: inSystem } = process.cpuUsage();
  reading.othersUs = {
    ...(await processorTimes({ ...servers, generator: [generator] })),
    'screen and measurement': user + inSystem,
  };
  await Promise.all(
    system.roles.map(async ({ role, pid = 0 }) => {
      const scrape = await (await fetch(addresses.get(`${role} metrics`) ?? '')).text();
      if (role === 'kitchen') {
        reading.atMs = performance.now();
        reading.tickets = Number(TICKETS.exec(scrape)?.[1] ?? 0);
      }
      // At once, because a role of lower priority may have answered late.
      const [{ own = 0 }, threadsUs] = await Promise.all([processorTimes({ own: [pid] }), threadTimes(pid)]);
      reading.roles[role] = { processUs: own, threadsUs, stages: readStages(scrape) };
    }),
  );
  return reading;
}
