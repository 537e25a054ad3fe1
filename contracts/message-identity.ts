import { createHash } from 'node:crypto';

export interface IdentifiedMessage {
  readonly keyBytes: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
  readonly timestamp: number;
}

/**
 * Identifies a record. Its copy in the other region has another offset but the same identity, because a mirror keeps key, value, headers
 * and time. An order that was sent twice is two records with different times.
 */
export function messageIdentity({ keyBytes, value, headers, timestamp }: IdentifiedMessage): string {
  const hash = createHash('sha256');
  for (const part of [keyBytes, value, headers.ce_id ?? null]) {
    hash.update(part === null ? '-' : `${part.length}:`);
    if (part !== null) hash.update(part);
  }
  return hash.update(String(timestamp)).digest('base64url');
}
