// Watches the TLS files while a server runs. Opened by the gateway and the display.

import { createHash, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { Gauge, type Registry } from 'prom-client';
import type { Logger } from '../logger.ts';
import { StateLog } from '../state-log.ts';
import { certificatesIn, type TlsFiles } from './tls.ts';
import { watchFileText } from './watched-file.ts';

/** Written out, because alerts name them. */
const gauges = {
  gateway: {
    expires: 'ordermesh_gateway_tls_certificate_expires_timestamp_seconds',
    changed: 'ordermesh_gateway_tls_files_changed',
  },
  display: {
    expires: 'ordermesh_display_tls_certificate_expires_timestamp_seconds',
    changed: 'ordermesh_display_tls_files_changed',
  },
} as const;

/** A certificate that expires within this time is reported. */
const RENEW_MS = 7 * 24 * 3_600_000;

/** Serves other files of TLS to new connections; connections that are open keep theirs. @throws when they cannot be served */
export type RenewTls = (files: TlsFiles) => Promise<void>;

export interface TlsWatch {
  /** Set once the server listens. Until then, changed files wait. */
  renewBy(renew: RenewTls): void;
  authorities: Authorities | undefined;
  register(registry: Registry, role: keyof typeof gauges): void;
  /** Why the file of authorities cannot be read, so that a withdrawn authority may still be trusted; `undefined` while it can be read. */
  authoritiesUnread(): string | undefined;
  /** What an operator has to do; `undefined` while there is nothing to do. Logs each trouble when it begins. */
  trouble(now: number): string | undefined;
  close(): void;
}

/**
 * Watches the files of TLS, and has changed ones served to new connections. A pair that does not fit, or cannot be served, is reported, and the one before
 * is served on. When an authority is taken out of its file, its certificates are refused at once, also on open connections. That file is therefore watched
 * apart from certificate and key, so that a pair that does not fit does not delay a withdrawal.
 * @param onChange called when an authority was withdrawn or has come back, but not for what has changed before this function resolves
 */
export async function watchTls(served: TlsFiles, logger: Logger, onChange: () => void): Promise<TlsWatch> {
  const states = new StateLog(logger);
  const { certFile, keyFile, clients } = served;
  const authorities = clients && new Authorities(String(clients.ca));
  /** What new connections get, and what is in the files. */
  let [now, wanted] = [textsOf(served), textsOf(served)];
  let expiresAt = expiryOf(now.cert);
  let renew: RenewTls | undefined;
  let renewing: Promise<void> = Promise.resolve();
  let failure: string | undefined;
  /** The caller cannot act on a change while it still waits for this function. */
  let isWatching = false;
  await using watches = new AsyncDisposableStack();
  const pair = await watchFileText({
    files: [certFile, keyFile],
    what: 'the files of TLS',
    logger,
    take(...texts) {
      const [cert = '', key = ''] = texts;
      createSecureContext({ cert, key });
      want({ cert, key });
    },
  });
  watches.defer(() => pair.close());
  const clientFile =
    clients &&
    authorities &&
    (await watchFileText({
      files: [clients.caFile],
      what: 'the file of authorities of client certificates',
      logger,
      take(ca) {
        const isOther = authorities.take(ca);
        want({ ca });
        if (!isOther) return;
        logger.info({ withdrawn: authorities.withdrawn }, 'the authorities of client certificates have changed');
        if (isWatching) onChange();
      },
    }));
  watches.defer(() => clientFile?.close());
  isWatching = true;
  const open = watches.move();
  const isChanged = () => !isSame(now, wanted);

  function want(change: Partial<Texts>): void {
    wanted = { ...wanted, ...change };
    renewing = renewing.then(serveWanted);
  }

  async function serveWanted(): Promise<void> {
    const texts = wanted;
    if (renew === undefined || isSame(now, texts)) return;
    try {
      await renew({
        ...served,
        ...buffersOf(texts),
        ...(clients && { clients: { ...clients, ca: Buffer.from(texts.ca) } }),
      });
      now = texts;
      failure = undefined;
      expiresAt = expiryOf(texts.cert);
      authorities?.serve(texts.ca);
      logger.info(
        { expiresAt: new Date(expiresAt).toISOString() },
        'the files of TLS were read again; new connections get them',
      );
    } catch (error) {
      failure = (error as Error).message;
      logger.error({ err: error }, 'the changed files of TLS cannot be served; those before are served on');
    }
  }

  function reasons(at: number): Record<'changed' | 'ends', string | undefined> {
    return {
      changed: isChanged()
        ? `the files of TLS have changed, and new connections do not get them yet${failure === undefined ? '' : `: ${failure}`}`
        : undefined,
      ends:
        expiresAt - at < RENEW_MS
          ? `the certificate of TLS_CERT_FILE expires at ${new Date(expiresAt).toISOString()}; renew it`
          : undefined,
    };
  }
  return {
    authorities,
    renewBy(by) {
      renew = by;
      renewing = renewing.then(serveWanted);
    },
    register(registry, role) {
      const { expires, changed } = gauges[role];
      // The same in each process of a cluster, so not summed.
      const shared = { registers: [registry], aggregator: 'max' as const };
      new Gauge({
        name: expires,
        help: 'When the certificate that is served expires.',
        ...shared,
        collect() {
          this.set(expiresAt / 1_000);
        },
      });
      new Gauge({
        name: changed,
        help: '1 while the files of TLS differ from those that new connections get.',
        ...shared,
        collect() {
          this.set(isChanged() ? 1 : 0);
        },
      });
    },
    authoritiesUnread: () => clientFile?.trouble(),
    trouble(at) {
      const { changed, ends } = reasons(at);
      if (changed === undefined) states.end('changed', 'the files of TLS are those that are served');
      else states.begin('changed', changed);
      if (ends !== undefined) states.begin('ends', ends);
      return clientFile?.trouble() ?? pair.trouble() ?? changed ?? ends;
    },
    close: () => void open.disposeAsync(),
  };
}

interface Texts {
  cert: string;
  key: string;
  /** Empty without client certificates. */
  ca: string;
}

function textsOf({ cert, key, clients }: TlsFiles): Texts {
  return { cert: String(cert), key: String(key), ca: String(clients?.ca ?? '') };
}

function buffersOf({ cert, key }: Texts): Pick<TlsFiles, 'cert' | 'key'> {
  return { cert: Buffer.from(cert), key: Buffer.from(key) };
}

function isSame(a: Texts, b: Texts): boolean {
  return a.cert === b.cert && a.key === b.key && a.ca === b.ca;
}

function expiryOf(cert: string): number {
  return new X509Certificate(cert).validToDate.getTime();
}

/** The authorities that handshakes have trusted since the start. Knows which of them the file still has. */
export class Authorities {
  /** By `markOf`. */
  readonly #served: Map<string, X509Certificate>;
  #present: ReadonlySet<string>;

  /** @param pem the file as it was at the start */
  constructor(pem: string) {
    this.#served = new Map(certificatesIn(pem).map((authority) => [markOf(authority), authority]));
    this.#present = new Set(this.#served.keys());
  }

  /** New handshakes trust these authorities. */
  serve(pem: string): void {
    for (const authority of certificatesIn(pem)) this.#served.set(markOf(authority), authority);
  }

  /** Subjects of the authorities that were served and are not in the file now. */
  get withdrawn(): string[] {
    return [...this.#served].flatMap(([mark, { subject }]) => (this.#present.has(mark) ? [] : [subject]));
  }

  /** @returns whether an authority was withdrawn or has come back @throws for a text without certificates */
  take(pem: string): boolean {
    const present = new Set(certificatesIn(pem).map(markOf));
    const isSame = [...this.#served.keys()].every((mark) => present.has(mark) === this.#present.has(mark));
    this.#present = present;
    return !isSame;
  }

  /** The authority that signed the certificate; empty when an intermediate authority signed it that is not in the file. */
  signerOf(certificate: X509Certificate): string {
    for (const [mark, authority] of this.#served)
      if (certificate.checkIssued(authority) && certificate.verify(authority.publicKey)) return mark;
    return '';
  }

  /**
   * An intermediate authority that is not in the file may belong to any authority of the file. So the certificates that it signed are not trusted once any
   * authority is withdrawn.
   */
  trusts(signer: string): boolean {
    if (signer !== '') return this.#present.has(signer);
    return [...this.#served.keys()].every((mark) => this.#present.has(mark));
  }
}

/** Subject and key: an authority whose certificate is renewed with the same key remains the same authority, also for the handshake. */
function markOf({ subject, publicKey }: X509Certificate): string {
  const key = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
  return `${subject} ${key}`;
}
