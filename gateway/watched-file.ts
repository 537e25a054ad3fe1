import { readFile, stat } from 'node:fs/promises';
import type { Logger } from '../telemetry/logger.ts';
import { stateEnded } from '../telemetry/state-log.ts';

/** The file is looked at this often. Polling sees a file that is replaced by a rename or a link, which watching misses. */
const POLL_MS = 1_000;

export interface WatchedFileOptions {
  file: string;
  /** What is in it, for the log. */
  what: string;
  /** Takes the text, at start and whenever the file has changed. @throws for a text that is not what it takes: what was read before counts */
  take(text: string): void;
  logger?: Logger | undefined;
}

/**
 * A file that is read again when it changes, also by the swap of a symbolic link as Kubernetes does it. While it can't be read, it is tried again at
 * every look, and what was read before counts.
 * @throws when it can't be read at start
 */
export async function watchFileText({ file, what, take, logger }: WatchedFileOptions): Promise<{ close(): void }> {
  let seen = '';
  let failing = false;
  let busy = false;
  const read = async (): Promise<void> => {
    // Before the text, so that a change in between is seen at the next look.
    const version = await versionOf(file);
    if (version === seen && !failing) return;
    take(await readFile(file, 'utf8'));
    seen = version;
  };
  const look = async (): Promise<void> => {
    // A disk that hangs holds one look and not one more every second.
    if (busy) return;
    busy = true;
    try {
      await read();
      if (failing) logger?.info({ file, ...stateEnded }, `${what} can be read again`);
      failing = false;
    } catch (error) {
      if (!failing) logger?.warn({ err: error, file }, `${what} cannot be read; what was read before counts`);
      failing = true;
    } finally {
      busy = false;
    }
  };
  await read();
  const timer = setInterval(() => void look(), POLL_MS).unref();
  return { close: () => clearInterval(timer) };
}

async function versionOf(file: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join(' ');
}
