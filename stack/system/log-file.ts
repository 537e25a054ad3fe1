// Opens the log file of a role, and shows people the lines that matter. Called by role-process.ts.

import { closeSync, mkdirSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { stateEnded } from '../../telemetry/state-log.ts';

const POLL_MS = 300;
const READ_BYTES = 64 * 1024;
const WARN = 40;

/** Opens a role's log for appending; the log of the run before is kept beside it. @returns the file and its descriptor */
export function openLog(directory: string, role: string): { file: string; descriptor: number } {
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, `${role}.log`);
  rmSync(`${file}.previous`, { force: true });
  try {
    renameSync(file, `${file}.previous`);
  } catch {
    // The first run has no earlier log.
  }
  return { file, descriptor: openSync(file, 'a') };
}

/**
 * Follows a log file and hands on the lines that a person should see: warnings, errors, and whatever is not a log line at all, such as the last
 * words of a crash. The role writes the file itself, so it never waits for us, and its log is whole even if we are killed.
 */
export function followLog(file: string, onLine: (line: string) => void): { close(): void } {
  const descriptor = openSync(file, 'r');
  const buffer = Buffer.alloc(READ_BYTES);
  let rest = '';
  const read = () => {
    for (;;) {
      const bytes = readSync(descriptor, buffer, 0, READ_BYTES, null);
      if (bytes === 0) return;
      const lines = (rest + buffer.toString('utf8', 0, bytes)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const shown = worthShowing(line);
        if (shown !== undefined) onLine(shown);
      }
    }
  };
  const timer = setInterval(read, POLL_MS);
  return {
    close() {
      clearInterval(timer);
      read();
      closeSync(descriptor);
    },
  };
}

/** How many different lines of a role that ends again and again are remembered. */
const LINES_MAX = 1_000;

/** Passes lines on. While `holds`, passes each different line on once: a role that ends again and again logs the same line before each end. */
export function onceWhile(holds: () => boolean, onLine: (line: string) => void): (line: string) => void {
  const seen = new Set<string>();
  return (line) => {
    if (!holds() || seen.size >= LINES_MAX) seen.clear();
    else if (seen.has(line)) return;
    // Lines are remembered before `holds` too: the line before the first end is read before the end is known.
    seen.add(line);
    onLine(line);
  };
}

interface LogLine {
  level?: number;
  /** `ended`: the end of a state whose begin was shown. */
  state?: string;
  msg?: string;
  err?: { message?: string };
  error?: string;
  reason?: string;
}

/** The line as people read it; `undefined` for one that only belongs into the file. */
export function worthShowing(line: string): string | undefined {
  if (line.trim() === '') return undefined;
  let parsed: LogLine;
  try {
    parsed = JSON.parse(line) as LogLine;
  } catch {
    // Not a log line: the last words of a crash, for example.
    return line;
  }
  if (typeof parsed.level !== 'number') return line;
  if (parsed.level < WARN && parsed.state !== stateEnded.state) return undefined;
  const reason = parsed.err?.message ?? parsed.error ?? parsed.reason;
  const what = parsed.msg ?? '';
  return typeof reason === 'string' && !what.includes(reason) ? `${what}: ${reason}` : what;
}
