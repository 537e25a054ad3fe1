import type { Config } from '../../contracts/config.ts';
import type { MetricsSnapshot } from '../../telemetry/metrics.ts';
import type { ThreadProfile } from '../../telemetry/profile.ts';

/** Messages from the leader of a group to a member. A member also ends at SIGTERM, as any role does, and when the channel to the leader closes. */
export type ToMember =
  | { type: 'start'; config: Config; opensGrpc: boolean }
  /** Asks whether the member's event loop runs: the member answers with `pong` at once. */
  | { type: 'ping' }
  | { type: 'snapshot'; id: number }
  | { type: 'profile'; seconds: number };

/** Messages from a member to its leader. */
export type FromMember =
  | { type: 'started'; addresses: Record<string, string> }
  /** The member cannot start. With the same configuration, another start would fail too. */
  | { type: 'refused'; name: string; message: string }
  /** Sent when reason or remark has changed. Without a reason the member is ready. A remark names a trouble that leaves the member ready. */
  | { type: 'readiness'; reason?: string | undefined; remark?: string | undefined }
  | { type: 'pong' }
  | { type: 'snapshot'; id: number; snapshot: MetricsSnapshot }
  | { type: 'profile'; threads: ThreadProfile[] };
