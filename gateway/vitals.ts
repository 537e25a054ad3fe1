import type { Config } from '../contracts/config/config.ts';
import type { RoleName } from '../contracts/roles.ts';
import { openAdminPort } from '../telemetry/admin-port.ts';
import type { ReadinessCheck } from '../telemetry/admin-server.ts';
import type { MetricsSnapshot } from '../telemetry/metrics.ts';
import type { ProfileKind, ThreadProfile } from '../telemetry/profiling/profile.ts';

/** Metrics and readiness of one gateway process. Shown on its own admin port, or, in a cluster, by the leader. */
export interface Vitals {
  snapshot(): Promise<MetricsSnapshot>;
  /** In the Prometheus text format. */
  scrape(): Promise<string>;
  readiness: Record<string, ReadinessCheck>;
  /** Troubles with which the gateway remains ready. */
  remarks?: Record<string, ReadinessCheck>;
  /** Samples the threads of the member processes instead of those of this process. */
  profile?(seconds: number, kind: ProfileKind): Promise<ThreadProfile[]>;
}

/** The place where vitals are shown: an admin port. */
export interface VitalsDisplay {
  addresses: Record<string, string>;
  close(): Promise<void>;
}

export type ShowVitals = (vitals: Vitals) => Promise<VitalsDisplay>;

/** Vitals on the admin port of the role. */
export function onAdminPort(config: Config, role: RoleName): ShowVitals {
  return async ({ scrape, readiness, remarks = {}, profile }) => {
    const admin = await openAdminPort(role, config, {
      metrics: scrape,
      readiness,
      remarks,
      ...(profile === undefined ? {} : { profile }),
    });
    return {
      addresses: { [`${role} metrics`]: `${admin.url}/metrics` },
      close: admin.close,
    };
  };
}
