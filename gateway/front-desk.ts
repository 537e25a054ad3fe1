import type { TlsFiles } from '../telemetry/files/tls.ts';
import type { Authenticator } from './identity/identity.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { Reception } from './orders/reception.ts';
import type { StatusReader } from './status/status-reader.ts';

/** What all transports of one server share: one admission, one idempotency, one identity. */
export interface FrontDesk {
  reception: Reception;
  authenticator: Authenticator;
  statuses: StatusReader;
  metrics: GatewayMetrics;
  /** `undefined` while orders can be taken, else the reason in a few words. */
  readiness(): string | undefined;
}

/** A transport beside HTTP and WebSocket, on a port of its own: gRPC. */
export interface Transport {
  addresses: Record<string, string>;
  /** Closes what was opened with credentials that have ended. @returns how many streams it began to close */
  endCredentials(authenticator: Authenticator): number;
  /** New connections get this certificate; absent where the transport has none. */
  renewTls?(files: TlsFiles): void;
  /** Takes nothing new; resolves when everything in flight is answered and has been sent. */
  drain(): Promise<void>;
  /** Cuts the connections that are still open. */
  close(): Promise<void>;
}

export type OpenTransport = (desk: FrontDesk) => Promise<Transport>;
