// Samples every role for a few seconds. Called by sustained.ts while the load goes on.

import type { RoleName } from '../../contracts/roles.ts';
import type { System } from '../../stack/system/index.ts';
import { flamePage } from '../../telemetry/flame/flame-page.ts';
import { foldThreads } from '../../telemetry/flame/fold.ts';
import type { ThreadProfile } from '../../telemetry/profiling/profile.ts';
import { type Sampled, sampledOf } from './sampled.ts';

const SECONDS = 3;

/** Of one role. */
export interface RoleSample {
  /** Its flame graph as a page. */
  page: string;
  sampled: Sampled;
}

export async function sampleRoles(system: System): Promise<Partial<Record<RoleName, RoleSample>>> {
  const addresses = new Map(system.addresses);
  const samples = await Promise.all(
    system.roles.map(async ({ role }) => {
      const url = new URL(`/debug/profile?seconds=${SECONDS}&kind=cpu`, addresses.get(`${role} metrics`));
      const { threads } = (await (await fetch(url)).json()) as { threads: ThreadProfile[] };
      const flame = foldThreads(threads);
      const page = await flamePage(`${role} under full load, ${SECONDS} s`, flame);
      return [role, { page, sampled: sampledOf(flame) }] as const;
    }),
  );
  return Object.fromEntries(samples);
}
