// Reads the PEM files of a cluster's security for each new connection. Used by client-options.ts.

import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { KafkaSecurity } from '../../contracts/config/kafka-security.ts';
import { refused } from './refusals.ts';

interface Known {
  /** The content of the files that the context was made of. */
  pem: string;
  context: SecureContext;
}

/** The newest usable context, by the names of its files. */
const known = new Map<string, Known>();

/** Troubles that were told already, by the names of the files. */
const told = new Map<string, string>();

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
    told.delete(name);
    return context;
  } catch (error) {
    tell(name, error as Error);
    return last?.context ?? createSecureContext({ ca: [] });
  }
}

/** Each attempt is counted as a refusal, which an alert reports; each trouble is written once. No caller waits here for an error. */
function tell(name: string, { message }: Error): void {
  const { message: text } = refused(
    'tls',
    `the files of TLS for Kafka cannot be used, the last usable ones count: ${message}`,
  );
  if (told.get(name) === text) return;
  told.set(name, text);
  process.emitWarning(text, 'KafkaTlsFilesWarning');
}
