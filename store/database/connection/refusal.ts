// Words what keeps a database from being used: an outage, a refused login, a missing right, an unknown authority. For logs and `/readyz`.

import { addressOf, type DatabaseServer, spokenAddress } from './database-server.ts';

/** What is at fault, from the code of an error; the rest of the sentence names role, server and what would help. */
const refusals: Readonly<Record<string, (facts: Facts) => string>> = {
  '28P01': ({ user, at }) => `${at} refuses the password of ${user}: correct it in the URL or its file`,
  '28000': ({ user, at, message }) => `${at} does not let ${user} in (${message}): ${entryHelp(message)}`,
  '3D000': ({ database, at }) => `${at} has no database ${database}: create it, or correct the URL`,
  '42501': ({ user, message }) =>
    `${user} lacks a right (${message}): run \`ordermesh migrate\`, which grants every role its rights, and make ${user} a member of the role that it works for`,
  '42P01': ({ message }) => `a table is missing (${message}): run \`ordermesh migrate\``,
  '42703': ({ message }) => `a column is missing (${message}): run \`ordermesh migrate\``,
  '53300': ({ at }) => `${at} has no connection left: raise max_connections, or put a pooler before it`,
  '25006': ({ at }) => `${at} takes no writes: it is a standby, or read-only`,
  '57P03': ({ at }) => `${at} is starting or stopping`,
  SASL_SIGNATURE_MISMATCH: ({ at }) =>
    `${at} does not know the password itself: it may not be the server it claims to be`,
};

/** The server tells all of these apart by its text alone. */
function entryHelp(message: string): string {
  if (message.endsWith('no encryption')) return 'it takes TLS: sslmode=verify-full in the URL';
  if (message.includes('client certificate')) return clientCertificateHelp;
  return 'give the role a login, or let it in by pg_hba.conf';
}

const clientCertificateHelp =
  'DATABASE_SSL_CERT_FILE and DATABASE_SSL_KEY_FILE take a certificate of an authority that the server knows';

/** Codes of an alert by which the server ends the handshake (RFC 8446, 6.2): it does not accept the client's certificate. */
const alert = /^ERR_SSL_.*ALERT/;

/** Codes of a certificate that was not accepted. */
const certificate =
  /^(UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|CERT_|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

interface Facts {
  /** The server, with its address. */
  at: string;
  user: string;
  database: string;
  message: string;
}

/**
 * One sentence for people, without a secret: whether the server is away, or what it refuses to whom and what would help.
 * @param server as which the connection was made
 */
export function databaseRefusal(error: unknown, server: DatabaseServer): string {
  const { code, message } = error instanceof Error ? (error as Error & { code?: unknown }) : { message: String(error) };
  const facts = { ...factsOf(server), message: message ?? '' };
  const words = typeof code === 'string' ? refusals[code] : undefined;
  if (words !== undefined) return words(facts);
  if (typeof code === 'string' && alert.test(code))
    return `${facts.at} ends the handshake of TLS (${/alert [\w ]+/.exec(facts.message)?.[0] ?? code}): ${clientCertificateHelp}`;
  if (typeof code === 'string' && certificate.test(code))
    return `the certificate of ${facts.at} is not accepted (${message}): DATABASE_SSL_CA_FILE takes its authority, and the URL the name in it`;
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return `${facts.at} refuses: ${message} (${code})`;
  return `${facts.at} cannot be reached: ${message}`;
}

function factsOf(server: DatabaseServer): Omit<Facts, 'message'> {
  try {
    const { user, database } = addressOf(server);
    return { at: `PostgreSQL at ${spokenAddress(server)}`, user, database };
  } catch {
    // The file of the URL cannot be read; the error itself says so.
    return { at: 'PostgreSQL', user: 'the role', database: 'of the URL' };
  }
}

/** Whether a login or a right is refused, or the server's certificate, so that waiting alone does not help. */
export function isRefusal(error: unknown): boolean {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' && [/^28|^3D000$|^42501$/, certificate, alert].some((codes) => codes.test(code));
}

/**
 * Puts the role and what would help into the message of a refusal, so that logs, `/readyz` and commands say it. The error keeps its code.
 * Any other error stays as it is.
 */
export function explainRefusal(error: unknown, server: DatabaseServer): void {
  if (!isRefusal(error) || explained.has(error as Error)) return;
  explained.add(error as Error);
  (error as Error).message = databaseRefusal(error, server);
}

const explained = new WeakSet<Error>();
