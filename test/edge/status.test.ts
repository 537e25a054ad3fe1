import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Order } from '../../contracts/order/order.ts';
import { SpoolClient } from '../../edge/spool/client.ts';
import { createSpoolIntake } from '../../edge/spool-intake.ts';
import { StatusKeeper } from '../../edge/status.ts';
import { headline } from '../../edge/status-text.ts';
import type { Intake } from '../../gateway/orders/intake.ts';
import { newOrder } from './order.ts';

let directory: string;
let spool: SpoolClient;
let status: StatusKeeper;
let intake: Intake;
let said: string[];
const soon = { timeout: 40_000 };
const path = () => join(directory, 'spool.db');

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'spool-'));
  said = [];
  const logger = pino({ base: null }, { write: (line: string) => void said.push(JSON.parse(line).msg) });
  const limits = { unsentOrdersMax: 1, bytesMax: 2 ** 30, diskFreeMin: 0, replayWindowMs: 60_000, deadlineMs: 30_000 };
  spool = await SpoolClient.open({ path: path(), ...limits });
  const line = {
    upstream: 'http://east',
    state: 'up',
    since: 0,
    reason: null,
    region: 'east',
    lastAnswerAt: null,
  } as const;
  status = new StatusKeeper(spool, path(), { line, held: [] }, await spool.counts(), logger);
  intake = createSpoolIntake({
    spool,
    urgentChannels: [],
    store: () => undefined,
    refusal: () => status.refusal,
    wrote: (error) => status.wrote(error),
    onKept: () => {},
  });
});
afterEach(async () => {
  status.close();
  await spool.close();
  rmSync(directory, { recursive: true });
});

const post = (order: Order) =>
  new Promise<Error | null>((resolve) =>
    intake.accept(
      {
        orderId: order.orderId,
        storeId: order.storeId,
        order,
        value: Buffer.from(JSON.stringify(order)),
        traceparent: '',
        requestId: '',
      },
      resolve,
    ),
  );

test('logs that the spool answers with an error, and its recovery although no order came', async () => {
  const order = newOrder();
  const other = new DatabaseSync(path());
  other.exec('begin immediate');
  expect(await post(order)).toMatchObject({ message: 'database is locked' });
  // SQLite waits for the lock almost as long as the disk may be silent: until a read is answered, the silence may be what is told.
  await vi.waitFor(() => expect(intake.readiness()).toBe('database is locked'), soon);
  expect(headline(status.known)).toMatchObject({ level: 'bad' });
  // A successful read does not end the trouble.
  await status.read();
  expect(status.trouble).toBeDefined();
  expect(said).toEqual(['the spool takes no orders; they are answered with 503']);
  other.exec('rollback');
  other.close();
  await vi.waitFor(() => expect(intake.readiness()).toBeUndefined(), soon);
  await vi.waitFor(() => expect(said.at(-1)).toMatch(/^the spool takes orders again after /), soon);
  expect(said).toHaveLength(2);
  expect(await post(order)).toBeNull();
});

test('logs once that the spool is full, and once that it is not any more', async () => {
  expect(await post(newOrder())).toBeNull();
  expect(await post(newOrder())).not.toBeNull();
  await vi.waitFor(() => expect(said).toEqual(['the spool takes no orders; they are answered with 503']), soon);
  await spool.settle([{ sequence: 1, region: 'east' }]);
  await vi.waitFor(() => expect(said.at(-1)).toMatch(/^the spool takes orders again after /), soon);
  expect(said).toHaveLength(2);
});
