// Notes every second how far the bridge is behind and how much memory roles take. Started by main.ts.

import { readFile } from 'node:fs/promises';
import { groups } from '../../contracts/topics.ts';
import type { Admin } from '../../kafka/index.ts';
import type { RoleProcess } from '../../stack/system/index.ts';
import { endPositions, recordsBehind } from './backlog.ts';

const INTERVAL_MS = 1_000;

/** Roles whose memory is noted. */
export const watchedRoles = ['kitchen', 'bridge', 'warehouse', 'loyalty'] as const;
export type WatchedRole = (typeof watchedRoles)[number];

export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  /** Records of `validated-orders` that the bridge has not committed. */
  bridgeLag: number;
  /** The same of the kitchen. */
  kitchenLag: number;
  /** Resident memory in bytes; absent for a role that is away, and where there is no /proc. */
  memory: Partial<Record<WatchedRole, number>>;
}

export interface Sampler {
  readonly samples: readonly Sample[];
  close(): Promise<void>;
}

/** A second in which the brokers do not answer has no sample. */
export function startSampler(admin: Admin, roles: readonly RoleProcess[], say: (line: string) => void): Sampler {
  const samples: Sample[] = [];
  const closing = Promise.withResolvers<void>();
  let closed = false;
  const running = (async () => {
    while (!closed) {
      const startedAt = performance.now();
      try {
        samples.push(await sample(admin, roles));
      } catch (error) {
        say(`a sample is missing: ${(error as Error).message}`);
      }
      const waitMs = Math.max(0, startedAt + INTERVAL_MS - performance.now());
      await Promise.race([closing.promise, new Promise((resolve) => setTimeout(resolve, waitMs))]);
    }
  })();
  return {
    samples,
    async close() {
      closed = true;
      closing.resolve();
      await running;
    },
  };
}

async function sample(admin: Admin, roles: readonly RoleProcess[]): Promise<Sample> {
  const ends = await endPositions(admin);
  const [bridgeLag, kitchenLag, memory] = await Promise.all([
    recordsBehind(admin, groups.bridge, ends),
    recordsBehind(admin, groups.kitchen, ends),
    memoryOf(roles),
  ]);
  return { at: Date.now(), bridgeLag, kitchenLag, memory };
}

async function memoryOf(roles: readonly RoleProcess[]): Promise<Sample['memory']> {
  const memory: Sample['memory'] = {};
  for (const name of watchedRoles) {
    const pid = roles.find(({ role }) => role === name)?.pid;
    const bytes = pid === undefined ? undefined : await residentBytes(pid);
    if (bytes !== undefined) memory[name] = bytes;
  }
  return memory;
}

/** By /proc, which costs less than a program a second. `undefined` for a process that has ended, and on other systems than Linux. */
async function residentBytes(pid: number): Promise<number | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    return kib === undefined ? undefined : Number(kib) * 1_024;
  } catch {
    return undefined;
  }
}
