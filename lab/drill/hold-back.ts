// Freezes the mirror or the standby of the passive region before the primary dies. Called by main.ts.

import { run } from '../../stack/index.ts';
import { connectDatabase } from '../../store/index.ts';
import { pick, type Random } from '../traffic/random.ts';
import type { DrillRegion } from './region.ts';

/** What falls behind before the primary dies: the copies of log and database are made independently, and either may be the older one. */
const kinds = ['nothing', 'the mirror', 'the standby', 'the mirror and the standby'] as const;

const HELD_MS_MAX = 3_000;

export interface HeldBack {
  what: (typeof kinds)[number];
  /** How long before the kill the copy is frozen, in milliseconds. */
  ms: number;
  release(): void;
}

/** Freezes a copy of the passive region, as a slow line between the regions would; by the seed. */
export async function holdBack(passive: DrillRegion, random: Random): Promise<HeldBack> {
  const what = pick(random, kinds);
  const ms = what === 'nothing' ? 0 : Math.round(random.next() * HELD_MS_MAX);
  const pids = [
    ...(what.includes('mirror') ? await mirrorMakerOf(passive) : []),
    ...(what.includes('standby') ? await walReceiverOf(passive) : []),
  ];
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  return {
    what,
    ms,
    release() {
      for (const pid of pids) {
        try {
          process.kill(pid, 'SIGCONT');
        } catch {
          // It has ended meanwhile.
        }
      }
    },
  };
}

async function mirrorMakerOf(region: DrillRegion): Promise<number[]> {
  const processes = await run('ps', ['-eo', 'pid=,ppid=,args='], { doing: 'ps', missing: 'there is no ps' });
  return processes.split('\n').flatMap((line) => {
    const [, pid, ppid, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return args?.includes('connect.mirror.MirrorMaker') && Number(ppid) === region.mirrorPid ? [Number(pid)] : [];
  });
}

async function walReceiverOf({ databaseUrl }: DrillRegion): Promise<number[]> {
  const sql = connectDatabase({ server: databaseUrl, connections: 1, application: 'drill' });
  try {
    const rows = await sql<{ pid: number }[]>`select pid from pg_stat_wal_receiver`;
    return rows.map(({ pid }) => pid);
  } finally {
    await sql.end();
  }
}
