import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { Gauge, type Registry } from 'prom-client';
import type { Logger } from '../telemetry/logger.ts';
import { StateLog } from '../telemetry/state-log.ts';
import { certificatesIn, type TlsFiles } from './tls.ts';
import { watchFileText } from './watched-file.ts';

/** A certificate that ends so soon is told of. */
const RENEW_MS = 7 * 24 * 3_600_000;

export interface TlsWatch {
  authorities: Authorities | undefined;
  register(registry: Registry): void;
  /** What an operator has to do; `undefined` while there is nothing. Logged when it begins. */
  trouble(now: number): string | undefined;
  close(): void;
}

/**
 * Follows the files of TLS. uWebSockets.js and gRPC read them once, so what has changed is served after a restart only, and an operator is told so. One
 * change counts at once: of an authority that is taken out of the file no certificate is accepted any more.
 * @param onWithdrawn called when the authorities have changed
 */
export async function watchTls(served: TlsFiles, logger: Logger, onWithdrawn: () => void): Promise<TlsWatch> {
  const states = new StateLog(logger);
  const own = [served.cert, served.key, ...(served.clients === undefined ? [] : [served.clients.ca])].map(String);
  const authorities = served.clients && new Authorities(String(served.clients.ca));
  const expiresAt = new X509Certificate(served.cert).validToDate.getTime();
  let isChanged = false;
  const watched = await watchFileText({
    files: [served.certFile, served.keyFile, ...(served.clients === undefined ? [] : [served.clients.caFile])],
    what: 'the files of TLS',
    logger,
    take(...texts) {
      const [cert = '', key = '', ca] = texts;
      createSecureContext({ cert, key });
      if (ca !== undefined && authorities?.take(ca)) onWithdrawn();
      isChanged = texts.some((text, index) => text !== own[index]);
    },
  });
  function reasons(now: number): Record<'changed' | 'ends', string | undefined> {
    return {
      changed: isChanged
        ? 'the files of TLS have changed; the gateway serves those of its start until it is restarted'
        : undefined,
      ends:
        expiresAt - now < RENEW_MS
          ? `the certificate of the gateway expires at ${new Date(expiresAt).toISOString()}; renew it and restart the gateway`
          : undefined,
    };
  }
  return {
    authorities,
    register(registry) {
      const name = 'ordermesh_gateway_tls_certificate_expires_timestamp_seconds';
      // The same in each process of a group, so not summed.
      const shared = { registers: [registry], aggregator: 'max' as const };
      new Gauge({ name, help: 'When the certificate that is served expires.', ...shared }).set(expiresAt / 1_000);
      new Gauge({
        name: 'ordermesh_gateway_tls_files_changed',
        help: '1 while the files of TLS differ from those that are served, which a restart ends.',
        ...shared,
        collect() {
          this.set(isChanged ? 1 : 0);
        },
      });
    },
    trouble(now) {
      const { changed, ends } = reasons(now);
      if (changed === undefined) states.end('changed', 'the files of TLS are those that are served');
      else states.begin('changed', changed);
      if (ends !== undefined) states.begin('ends', ends);
      return watched.trouble() ?? changed ?? ends;
    },
    close: () => watched.close(),
  };
}

/** The authorities that the handshake trusts, which are those of the start, and which of them the file still has. */
export class Authorities {
  readonly #served: readonly X509Certificate[];
  #present: ReadonlySet<string>;

  /** @param pem the file as it was at the start */
  constructor(pem: string) {
    this.#served = certificatesIn(pem);
    this.#present = new Set(this.#served.map(({ fingerprint256 }) => fingerprint256));
  }

  /** @returns whether one has gone or come back @throws for a text that has no certificates */
  take(pem: string): boolean {
    const present = new Set(certificatesIn(pem).map(({ fingerprint256 }) => fingerprint256));
    const isSame = this.#served.every(
      ({ fingerprint256 }) => present.has(fingerprint256) === this.#present.has(fingerprint256),
    );
    this.#present = present;
    return !isSame;
  }

  /** The authority that signed the certificate; empty for one of an intermediate that is not in the file. */
  signerOf(certificate: X509Certificate): string {
    const signer = this.#served.find(
      (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
    );
    return signer?.fingerprint256 ?? '';
  }

  /** Whose intermediate signed a certificate is not known, so once any authority is gone, it is not trusted. */
  trusts(signer: string): boolean {
    if (signer !== '') return this.#present.has(signer);
    return this.#served.every(({ fingerprint256 }) => this.#present.has(fingerprint256));
  }
}
