// Makes a new spool from a damaged one, or for a missing one. Called by thread.ts.

import { existsSync, renameSync } from 'node:fs';
import { type CopiedOrders, DamagedFile } from './damaged-file.ts';
import { openSpoolFile, removeFile, syncDirectory } from './schema.ts';

/** What was saved of a damaged spool. */
export interface Salvage extends CopiedOrders {
  /** The path under which the damaged file is kept. */
  keptAs: string;
  /** The same in words. */
  report: string;
}

/**
 * Copies every readable order of a damaged spool into a new file, and gives that file the name of the spool. The restaurant can go on selling; the
 * damaged file gets another name and is never deleted. Confirmed orders are copied without their region, so they are sent again, which is harmless.
 *
 * The damaged file keeps its name until the new file is complete: a salvage that fails, as on a full disk, changes nothing.
 */
export function salvageSpool(path: string, stamp: string): Salvage {
  const keptAs = `${path}.damaged-${stamp}`;
  const file = salvageOf(path);
  removeFile(file);
  let salvage: Salvage;
  try {
    salvage = copyTo(file, path, keptAs, stamp);
  } catch (error) {
    removeFile(file);
    throw error;
  }
  replace(path, keptAs);
  return salvage;
}

/** Finishes the renames of a process that ended after it had renamed the damaged file and before the new file had the spool's name. */
export function finishSalvage(path: string, stamp: string): void {
  if (!existsSync(path) && existsSync(salvageOf(path))) replace(path, `${path}.damaged-${stamp}`);
}

/**
 * Makes a new spool in the place of one that is missing, and notes in it that orders may be lost. Without the note a removed file would look like
 * a first start.
 * @returns the report
 */
export function noteMissing(path: string, stamp: string): string {
  const report =
    'the file was missing, although an earlier agent has left its reserve beside it; orders that waited in it are lost unless the file is found';
  const fresh = openSpoolFile(path);
  try {
    const setFact = fresh.prepare('insert into facts values (?, ?)');
    setFact.run('damage', `${stamp}: ${report}`);
    setFact.run('loss_open', 1);
  } finally {
    fresh.close();
  }
  return report;
}

function salvageOf(path: string): string {
  return `${path}.salvage`;
}

/** Renames the file before its log, because `finishSalvage` looks for the file. */
function replace(path: string, keptAs: string): void {
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, keptAs + suffix);
  renameSync(salvageOf(path), path);
  syncDirectory(path);
}

function copyTo(file: string, path: string, keptAs: string, stamp: string): Salvage {
  const fresh = openSpoolFile(file);
  try {
    using damaged = new DamagedFile(path);
    const { orders, unreadable } = damaged.copyOrders(fresh);
    const hasBoard = damaged.copyTickets(fresh);
    const earlier = damaged.earlierDamage();
    const report = reportOf({ orders, unreadable, hasBoard, keptAs });
    const setFact = fresh.prepare('insert or replace into facts values (?, ?)');
    setFact.run(
      'damage',
      [`${stamp}: ${report}`, ...(earlier === undefined ? [] : [earlier.report])].join('; before: '),
    );
    if (unreadable !== 0 || earlier?.lossOpen) setFact.run('loss_open', 1);
    return { keptAs, orders, unreadable, report };
  } finally {
    fresh.close();
  }
}

function reportOf(salvage: Omit<Salvage, 'report'> & { hasBoard: boolean }): string {
  const { orders, unreadable, hasBoard, keptAs } = salvage;
  const missing =
    unreadable === undefined
      ? 'it is not known how many orders were in it'
      : `${orders} orders were saved, at most ${unreadable} were not`;
  // The region's snapshot brings the tickets back, but not a bump that the region was not told of.
  const board = hasBoard
    ? ''
    : '; the board of the kitchen could not be read: a ticket may be shown that the crew has bumped';
  return `${missing}${board}; the damaged file is kept as ${keptAs}`;
}
