import { existsSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { Ballast } from './ballast.ts';
import { lockSpool } from './lock.ts';
import type { SpoolCounts } from './order.ts';
import {
  type Answer,
  type CommitAnswer,
  type PackedCommit,
  type Question,
  type SpoolCalls,
  unpackOrders,
} from './protocol.ts';
import { finishSalvage, noteMissing, salvageSpool } from './salvage.ts';
import { Spool, SpoolFullError, type SpoolOptions } from './spool.ts';
import { isDamage, isDiskFull } from './sqlite-errors.ts';

/**
 * The thread that owns the spool's file: while it waits for the disk, the agent goes on taking requests and answering health checks. A file
 * that turns out to be damaged is salvaged in place, and the question is repeated.
 */
const BALLAST_BYTES = 4 * 2 ** 20;
const options = workerData as SpoolOptions;
const lock = lockSpool(options.path);
const ballast = new Ballast(`${options.path}.reserve`, BALLAST_BYTES);
finishSalvage(options.path, stampOf(new Date()));
// The reserve is of an earlier agent, whose file is not there any more.
if (ballast.isThere && !existsSync(options.path)) noteLoss();
let spool = opened();

const calls: SpoolCalls = {
  commit,
  batch: (query) => spool.batch(query),
  prune: () => spool.prune(),
  find: (orderId) => spool.find(orderId),
  counts,
  probe: () => spool.probe(),
  reached: (region) => spool.reached(region),
  keepTickets: (changes) => spool.keepTickets(changes),
  tickets: (unsentMax) => spool.tickets(unsentMax),
  close() {
    spool.close();
    lock.release();
  },
};

function commit(work: PackedCommit): CommitAnswer {
  const orders = unpackOrders(work);
  try {
    return { outcomes: spool.commit(orders, work.settlements), full: null };
  } catch (error) {
    if (error instanceof SpoolFullError) {
      // The settlements are kept; the orders may find room now.
      return spool.writeBack() ? commit({ ...work, settlements: [] }) : { outcomes: [], full: error.message };
    }
    if (!isDiskFull(error) || orders.length === 0) throw error;
    // Nothing was kept. The ballast is for the region's answers, not for more orders.
    if (work.settlements.length > 0) withBallast(() => spool.commit([], work.settlements));
    return { outcomes: [], full: 'the disk is full' };
  }
}

function withBallast<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isDiskFull(error) || !ballast.release()) throw error;
    return work();
  }
}

function counts(): SpoolCounts {
  let counted = spool.counts();
  if (counted.full !== null && spool.writeBack()) counted = spool.counts();
  if (!ballast.isThere && counted.diskFree > options.diskFreeMin + 2 * ballast.bytes) ballast.restore();
  return counted;
}

function opened(): Spool {
  const open = () => withBallast(() => new Spool(options));
  try {
    return open();
  } catch (error) {
    if (!isDamage(error)) throw error;
    salvage(error as Error);
    return open();
  }
}

function repaired<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isDamage(error)) throw error;
    salvage(error as Error);
    spool = opened();
    return work();
  }
}

function salvage(error: Error): void {
  const { report } = withBallast(() => salvageSpool(options.path, stampOf(new Date())));
  tell({ salvaged: `${error.message}; ${report}` });
}

function noteLoss(): void {
  tell({ salvaged: withBallast(() => noteMissing(options.path, stampOf(new Date()))) });
}

function stampOf(date: Date): string {
  return date.toISOString().replaceAll(/[:.]/g, '-');
}

function tell(answer: Answer, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(answer, transfer);
}

parentPort?.on('message', ({ id, name, argument }: Question) => {
  try {
    const value = repaired(() => withBallast(() => (calls[name] as (argument: unknown) => unknown)(argument)));
    tell({ id, value }, name === 'batch' ? [(value as { body: Uint8Array<ArrayBuffer> }).body.buffer] : []);
  } catch (error) {
    tell({ id, error: { message: (error as Error).message, isDiskFull: isDiskFull(error) } });
  }
  if (name === 'close') parentPort?.close();
});
tell({ id: 0, value: undefined });
