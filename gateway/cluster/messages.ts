import type { Config } from '../../contracts/config/config.ts';
import type { MetricsSnapshot } from '../../telemetry/metrics.ts';
import type { ProfileKind, ThreadProfile } from '../../telemetry/profiling/profile.ts';

/**
 * Messages from the leader of a cluster to a member process. There is no message for the end: a member process ends at SIGTERM, and when the
 * channel to the leader closes.
 */
export type ToMember =
  | { type: 'start'; config: Config; opensGrpc: boolean }
  /** Asks whether the event loop of the member process runs. The answer is `pong`, at once. */
  | { type: 'ping' }
  | { type: 'snapshot'; id: number }
  | { type: 'profile'; seconds: number; kind: ProfileKind };

/** Messages from a member process to the leader. */
export type FromMember =
  | { type: 'started'; addresses: Record<string, string> }
  /** The member process cannot start. With the same configuration, another start would fail too. */
  | { type: 'refused'; name: string; message: string }
  /** Sent when reason or remark has changed. Without a reason the member process is ready. A remark names a trouble with which it remains ready. */
  | { type: 'readiness'; reason?: string | undefined; remark?: string | undefined }
  | { type: 'pong' }
  | { type: 'snapshot'; id: number; snapshot: MetricsSnapshot }
  | { type: 'profile'; threads: ThreadProfile[] };
