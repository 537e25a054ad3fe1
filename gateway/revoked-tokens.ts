import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../contracts/config.ts';
import type { Logger } from '../telemetry/logger.ts';

/** The file is looked at this often. Polling sees a file that is replaced by a rename or a link, which watching misses. */
const POLL_MS = 1_000;

/** Ids of tokens that are not accepted any more although they are not expired. */
export interface RevokedTokens {
  has(tokenId: string): boolean;
  close(): void;
}

/**
 * The list in a file, one `jti` a line; blank lines and those that begin with # are none. Read again when the file changes, and then
 * `onChange` is called; while it cannot be read, the list stays as it was.
 * @throws ConfigError when it can't be read at start.
 */
export async function watchRevokedTokens(file: string, logger: Logger, onChange: () => void): Promise<RevokedTokens> {
  let tokenIds = await read(file).catch((error: Error) => {
    throw new ConfigError(
      `ORDERMESH_REVOKED_TOKENS_FILE is ${JSON.stringify(file)}; it takes a file with one token id a line: ${error.message}`,
    );
  });
  const reread = () =>
    read(file).then(
      (ids) => {
        tokenIds = ids;
        logger.info({ tokens: ids.size }, 'the list of revoked tokens was read again');
        onChange();
      },
      (error: Error) => logger.warn({ err: error }, 'the list of revoked tokens cannot be read; it stays as it was'),
    );
  const listener = () => void reread();
  watchFile(file, { interval: POLL_MS, persistent: false }, listener);
  return { has: (tokenId) => tokenIds.has(tokenId), close: () => unwatchFile(file, listener) };
}

async function read(file: string): Promise<ReadonlySet<string>> {
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.trim());
  return new Set(lines.filter((line) => line !== '' && !line.startsWith('#')));
}
