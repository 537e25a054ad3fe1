// Reads the PEM files of a cluster's security for each new connection. Used by client-options.ts.

import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { KafkaSecurity } from '../../contracts/config/kafka-security.ts';

interface Known {
  /** The content of the files that the context was made of. */
  pem: string;
  context: SecureContext;
}

/** The newest usable context, by the names of its files. */
const known = new Map<string, Known>();

/**
 * The certificates and the key as the files have them now. While a file is missing or half written, the last usable content counts: a
 * client that threw here would keep a connection that never connects. Without any usable content, nothing is trusted, and the handshake is
 * refused.
 */
export function tlsContext({ caFile, certFile, keyFile }: KafkaSecurity): SecureContext {
  const files = [caFile, certFile, keyFile];
  const name = files.join('\n');
  const last = known.get(name);
  try {
    const [ca, cert, key] = files.map((file) => (file === undefined ? undefined : readFileSync(file, 'utf8')));
    const pem = [ca, cert, key].join('\n');
    if (pem === last?.pem) return last.context;
    if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----'))
      throw new Error(`${caFile} has no certificate`);
    const context = createSecureContext({ ca, cert, key });
    known.set(name, { pem, context });
    return context;
  } catch {
    return last?.context ?? createSecureContext({ ca: [] });
  }
}
