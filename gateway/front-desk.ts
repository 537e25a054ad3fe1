import type { Authenticator } from './identity/identity.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { Reception } from './orders/reception.ts';
import type { StatusReader } from './status/status-reader.ts';

/** What every way in for orders shares: one admission, one idempotency, one identity. */
export interface FrontDesk {
  reception: Reception;
  authenticator: Authenticator;
  statuses: StatusReader;
  metrics: GatewayMetrics;
  /** `undefined` while orders can be taken, else the reason in a few words. */
  readiness(): string | undefined;
}

/** A way in beside HTTP and WebSocket, on a port of its own. */
export interface WayIn {
  addresses: Record<string, string>;
  /** Closes what was opened by credentials that have ended. @returns how many it began to close */
  endCredentials(authenticator: Authenticator): number;
  /** Takes nothing new; resolves when everything under way is answered and has been sent. */
  drain(): Promise<void>;
  /** Cuts what is left. */
  close(): Promise<void>;
}

export type OpenWayIn = (desk: FrontDesk) => Promise<WayIn>;
