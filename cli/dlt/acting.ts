// What `dlt discard`, `dlt replay` and `dlt stop` have in common: options, confirmation, summary.

import { hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { NegativeResult, UsageError } from '../../contracts/failure.ts';
import type { DeadLetter, KeyPlace } from '../../store/index.ts';
import { say } from '../output.ts';
import { counted } from './letter-view.ts';

/** The options of every command that changes something. */
export interface ActingOptions {
  as?: string;
  why?: string;
  yes?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

export function withActing(command: Command): Command {
  return command
    .option('--as <name>', 'who does it, for the log; otherwise the user of this machine')
    .option('--dry-run', 'say what would be done and do nothing')
    .option('--yes', 'do it to several messages without being asked')
    .option('--json', 'print one object');
}

export function operatorOf({ as }: ActingOptions): string {
  return as ?? `${userInfo().username}@${hostname()}`;
}

/**
 * Asks before a bulk act, where a person can answer.
 * @throws UsageError where there is no terminal; NegativeResult when the answer is no
 */
export async function confirm(what: string, { yes }: ActingOptions): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) throw new UsageError(`this would ${what}: add --yes to do it, or --dry-run to look first`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${what}? [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  say('nothing was done');
  throw new NegativeResult();
}

/** The orders of the messages, one for each group that parked them. */
export function keysOf(letters: readonly DeadLetter[]): KeyPlace[] {
  const keys = new Map<string, KeyPlace>();
  for (const { group, topic, partition, key } of letters)
    keys.set(JSON.stringify([group, topic, partition, key]), { group, topic, partition, key });
  return [...keys.values()];
}

export function summary(letters: readonly DeadLetter[]): string {
  return `${counted(letters.length, 'message')} of ${counted(new Set(letters.map(({ key }) => key)).size, 'order')}`;
}

/** The acts that have these orders in a replay, for a person. */
export function actsOf(keys: readonly { act: number }[]): string {
  return [...new Set(keys.map(({ act }) => act))].join(', ');
}
