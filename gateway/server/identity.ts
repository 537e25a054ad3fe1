// Opens what decides who may send orders: tokens, certificates, TLS. Called by build.ts.

import type { Clock } from '../../contracts/clock.ts';
import type { Config } from '../../contracts/config/config.ts';
import { type TlsFiles, tlsFiles } from '../../telemetry/files/tls.ts';
import { type TlsWatch, watchTls } from '../../telemetry/files/tls-watch.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { createAuthenticator } from '../identity/authenticator.ts';
import type { Authenticator } from '../identity/identity.ts';
import type { GatewayMetrics } from '../metrics.ts';

export interface ServerIdentityOptions {
  config: Config;
  clock: Clock;
  logger: Logger;
  metrics: GatewayMetrics;
  /** Called when credentials may have ended: open connections are to be checked again. */
  onEnded: (authenticator: Authenticator) => void;
  /** Takes what has to be closed. */
  started: AsyncDisposableStack;
}

/** Who may send orders, and the certificate with which the server answers. */
export interface ServerIdentity {
  authenticator: Authenticator;
  /** Absent where the server listens without TLS. */
  files: TlsFiles | undefined;
  tls: TlsWatch | undefined;
}

/** Opens tokens and client certificates, and watches the files that decide about them. */
export async function openIdentity(options: ServerIdentityOptions): Promise<ServerIdentity> {
  const { config, clock, logger, metrics, onEnded, started } = options;
  const files = tlsFiles(config);
  const tls =
    files &&
    (await watchTls(files, logger, () => {
      authenticator.forgetRevoked?.();
      onEnded(authenticator);
    }));
  started.defer(() => tls?.close());
  const authenticator = await createAuthenticator({
    authorities: tls?.authorities,
    config,
    clock,
    logger,
    onChange: () => onEnded(authenticator),
    onOutage() {
      metrics.identityUnavailable++;
    },
  });
  metrics.credentialsTrouble = () =>
    authenticator.readiness?.() ?? authenticator.trouble?.() ?? tls?.authoritiesUnread();
  started.defer(() => authenticator.close?.());
  return { files, tls, authenticator };
}
