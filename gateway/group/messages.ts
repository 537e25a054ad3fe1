import type { Config } from '../../contracts/config.ts';
import type { MetricsSnapshot } from '../../telemetry/metrics.ts';
import type { ThreadProfile } from '../../telemetry/profile.ts';

/** What the leader of a group tells a member. The member ends at SIGTERM, as any role does, and when the leader is gone. */
export type ToMember =
  | { type: 'start'; config: Config; opensBeside: boolean }
  /** Answered at once, by a process that does not hang. */
  | { type: 'ping' }
  | { type: 'snapshot'; id: number }
  | { type: 'profile'; seconds: number };

/** What a member tells its leader. */
export type FromMember =
  | { type: 'started'; addresses: Record<string, string> }
  /** It does not start, and would not with the same configuration again. */
  | { type: 'refused'; name: string; message: string }
  /** Sent whenever it changes; no reason: it is ready. A remark is a trouble that leaves it ready. */
  | { type: 'readiness'; reason?: string | undefined; remark?: string | undefined }
  | { type: 'pong' }
  | { type: 'snapshot'; id: number; snapshot: MetricsSnapshot }
  | { type: 'profile'; threads: ThreadProfile[] };
