import { ConfigError } from '../../contracts/config/config.ts';
import { watchFileText } from '../../telemetry/files/watched-file.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Identity } from './identity.ts';

/** Tokens and client certificates that are not accepted any more although they are not expired. */
export interface RevokedTokens {
  /** Whether its id is on the list. */
  has(tokenId: string): boolean;
  /** Whether a rule revokes it: for a store, for a device, or for all tokens that were issued before a time. */
  coveredByRule?(identity: Identity): boolean;
  /** Why the list cannot be read again, while the list read before remains in force. */
  trouble?(): string | undefined;
  close(): void;
}

/** A rule. An absent field matches every store, device or time. */
interface Rule {
  store?: string | undefined;
  device?: string | undefined;
  /** Milliseconds since 1970: the rule is for tokens that were issued before this time. */
  before?: number | undefined;
}

interface List {
  tokenIds: ReadonlySet<string>;
  rules: readonly Rule[];
}

export function isRevoked(revoked: RevokedTokens | undefined, identity: Identity): boolean {
  if (revoked === undefined) return false;
  const { tokenId } = identity;
  return (tokenId !== undefined && revoked.has(tokenId)) || revoked.coveredByRule?.(identity) === true;
}

/**
 * The list in a file, one entry a line; blank lines and lines that begin with # are skipped. The file is read again when it changes, and then
 * `onChange` is called; while it cannot be read, the list stays as it was.
 * @throws ConfigError when it can't be read at start.
 */
export async function watchRevokedTokens(file: string, logger: Logger, onChange: () => void): Promise<RevokedTokens> {
  let list: List | undefined;
  const watched = await watchFileText({
    files: [file],
    what: 'the list of revoked tokens',
    logger,
    take(text) {
      const isFirst = list === undefined;
      list = listOf(text);
      if (isFirst) return;
      const { tokenIds, rules } = list;
      logger.info({ tokens: tokenIds.size, rules: rules.length }, 'the list of revoked tokens was read again');
      onChange();
    },
  }).catch((error: Error) => {
    throw new ConfigError(
      `ORDERMESH_REVOKED_TOKENS_FILE is ${JSON.stringify(file)}; it takes a file with one token id or rule a line: ${error.message}`,
    );
  });
  return {
    has: (tokenId) => list?.tokenIds.has(tokenId) === true,
    coveredByRule: (identity) => list?.rules.some((rule) => covers(rule, identity)) === true,
    trouble: () => watched.trouble(),
    close: () => watched.close(),
  };
}

/** A token that does not say when it was issued counts as issued before every `before` time. */
function covers({ store, device, before }: Rule, identity: Identity): boolean {
  return (
    (store === undefined || store === identity.store) &&
    (device === undefined || device === identity.device) &&
    (before === undefined || (identity.issuedAt ?? Number.NEGATIVE_INFINITY) < before)
  );
}

/** Token ids have no spaces, so a line with a space is a rule or a mistake. */
const RULE = /^(?:(store|device) (\S+))?(?:(?:^| )before (\S+))?$/;

/** @throws for a line with a space that is not a valid rule: if it were skipped, a revocation would silently have no effect */
function listOf(text: string): List {
  const tokenIds = new Set<string>();
  const rules: Rule[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim().replaceAll(/\s+/g, ' ');
    if (line === '' || line.startsWith('#')) continue;
    if (!line.includes(' ')) {
      tokenIds.add(line);
      continue;
    }
    const [match, kind, name, moment] = RULE.exec(line) ?? [];
    const before = moment === undefined ? undefined : Date.parse(moment);
    if (match === undefined || Number.isNaN(before))
      throw new Error(
        `line ${index + 1} is ${JSON.stringify(line)}; it takes a jti, a fingerprint, or "store <id>", "device <sub>", "before <RFC 3339 time>", or one of the former two with "before"`,
      );
    rules.push({ ...(kind === undefined ? {} : { [kind]: name }), before });
  }
  return { tokenIds, rules };
}
