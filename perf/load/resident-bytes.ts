import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from '../child.ts';

const INTERVAL_MS = 250;

/** The resident memory of a process in bytes, as it is now. */
export async function residentBytes({ pid }: ChildProcess): Promise<number> {
  return Number(await runCommand('ps', ['-o', 'rss=', '-p', String(pid)])) * 1_024;
}

/** The resident memory of a process, in bytes, four times a second until `work` has ended. */
export async function residentBytesDuring(child: ChildProcess, work: Promise<unknown>): Promise<number[]> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  const samples: number[] = [];
  do {
    samples.push(await residentBytes(child));
    await Promise.race([over, delay(INTERVAL_MS)]);
  } while (!isOver);
  return samples;
}
