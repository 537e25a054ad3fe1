// Reads the files of TLS and checks them. Used by the servers of the gateway and the display.

import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { type Config, ConfigError } from '../../contracts/config/config.ts';

/** The files of TLS, read and checked, as PEM. */
export interface TlsFiles {
  certFile: string;
  keyFile: string;
  cert: Buffer;
  key: Buffer;
  /** The authorities of client certificates. Absent: the server asks for no certificates. */
  clients?: { caFile: string; ca: Buffer };
}

/**
 * Reads the files of TLS that the configuration names; `undefined` where the server listens without TLS.
 * @throws ConfigError naming the variable whose file is missing, unreadable or does not fit the others
 */
export function tlsFiles(config: Config): TlsFiles | undefined {
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile, TLS_CLIENT_CA_FILE: caFile } = config;
  if (certFile === undefined && keyFile === undefined) {
    if (caFile === undefined) return undefined;
    throw new ConfigError('TLS_CLIENT_CA_FILE needs TLS_CERT_FILE and TLS_KEY_FILE: certificates come with TLS only');
  }
  if (certFile === undefined || keyFile === undefined)
    throw new ConfigError('TLS_CERT_FILE and TLS_KEY_FILE belong together; set both for TLS, or none');
  const cert = read('TLS_CERT_FILE', certFile, (pem) => createSecureContext({ cert: pem }));
  const key = read('TLS_KEY_FILE', keyFile, (pem) => createSecureContext({ cert, key: pem }));
  const files = { certFile, keyFile, cert, key };
  if (caFile === undefined) return files;
  return {
    ...files,
    clients: { caFile, ca: read('TLS_CLIENT_CA_FILE', caFile, (pem) => certificatesIn(pem.toString('latin1'))) },
  };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Checked here, because Node accepts a file without certificates, and uWebSockets.js does not report what is wrong. @throws when there is no certificate in the text */
export function certificatesIn(pem: string): X509Certificate[] {
  const certificates = pem.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw new Error('there is no certificate in it');
  return certificates.map((certificate) => new X509Certificate(certificate));
}

const takes: Readonly<Record<string, string>> = {
  TLS_CERT_FILE: 'a PEM certificate chain',
  TLS_KEY_FILE: 'the PEM private key of TLS_CERT_FILE',
  TLS_CLIENT_CA_FILE: 'PEM certificates of authorities',
};

function read(variable: string, file: string, check: (pem: Buffer) => unknown): Buffer {
  try {
    // Opening a pipe would wait for its writer.
    if (!statSync(file).isFile()) throw new Error('it is not a regular file');
    const pem = readFileSync(file);
    check(pem);
    return pem;
  } catch (error) {
    const message = `${variable} is ${JSON.stringify(file)}; it takes ${takes[variable]}: ${(error as Error).message}`;
    throw new ConfigError(message, { cause: error });
  }
}
