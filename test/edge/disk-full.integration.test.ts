import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { watchRawOrders } from '../gateway/support.ts';
import { newOrder } from './order.ts';
import { type Agent, Restaurant } from './restaurant.ts';

const isRoot = userInfo().uid === 0;
const soon = { timeout: 20_000 };
const note = 'x'.repeat(200);
/** An order of about 20 KB, so that a small disk is soon full. */
const largeOrder = () =>
  newOrder({
    items: Array.from({ length: 70 }, () => ({ sku: 'cheeseburger', quantity: 1, unitPrice: 10, note })),
    total: 700,
  });

describe.skipIf(!isRoot)('a disk of 12 MiB (needs root, to mount one)', () => {
  let restaurant: Restaurant;
  let disk: string;
  let raw: Awaited<ReturnType<typeof watchRawOrders>>;

  beforeEach(async () => {
    restaurant = await Restaurant.open();
    raw = await watchRawOrders();
    disk = join(restaurant.directory, 'disk');
    await mkdir(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', disk]);
  });
  afterEach(async () => {
    await restaurant.stop();
    execFileSync('umount', [disk]);
    await restaurant.close();
    await raw[Symbol.asyncDispose]();
  });

  /** Sells until the agent refuses. */
  async function fill(agent: Agent): Promise<string[]> {
    const accepted: string[] = [];
    for (;;) {
      const order = largeOrder();
      const response = await agent.post(order);
      if (response.status === 202) accepted.push(order.orderId);
      else {
        expect(response.status).toBe(503);
        expect(await response.json()).toMatchObject({ code: 'spool-full' });
        return accepted;
      }
    }
  }

  async function delivered(agent: Agent, orderIds: readonly string[]): Promise<void> {
    await vi.waitFor(() => expect(orderIds.filter((orderId) => !raw.records.has(orderId))).toEqual([]), soon);
    await vi.waitFor(async () => expect((await agent.status()).spool).toMatchObject({ unsent: 0, full: null }), soon);
  }

  test('leaves the configured space free, keeps all accepted orders, and takes orders again', async () => {
    const spool = { ORDERMESH_EDGE_SPOOL: join(disk, 'spool.db'), ORDERMESH_EDGE_DISK_FREE_MIN: '2MiB' };
    const agent = await restaurant.agent(spool);
    const accepted = await fill(agent);
    expect(accepted.length).toBeGreaterThan(50);
    const { bavail, bsize } = statfsSync(disk);
    expect(bavail * bsize).toBeGreaterThan(2 ** 20);
    restaurant.line.to((await restaurant.gateway('east')).url);
    await delivered(agent, accepted);
    // Confirmed orders make room for new ones.
    await agent.accept([largeOrder(), largeOrder()]);
  });

  test('survives a disk that another process has filled to the last byte', async () => {
    const spool = { ORDERMESH_EDGE_SPOOL: join(disk, 'spool.db'), ORDERMESH_EDGE_DISK_FREE_MIN: '0B' };
    const agent = await restaurant.agent(spool);
    const accepted = await agent.accept(Array.from({ length: 20 }, () => largeOrder()));
    const rubbish = join(disk, 'rubbish');
    fillDisk(rubbish, disk);
    accepted.push(...(await fill(agent)));
    expect((await agent.status()).spool.unsent).toBe(accepted.length);
    restaurant.line.to((await restaurant.gateway('east')).url);
    await vi.waitFor(() => expect(accepted.filter((orderId) => !raw.records.has(orderId))).toEqual([]), soon);
    rmSync(rubbish);
    accepted.push(...(await agent.accept([newOrder()])));
    await delivered(agent, accepted);
  });
});

function fillDisk(file: string, disk: string): void {
  for (let bytes = statfsSync(disk).bavail * statfsSync(disk).bsize; bytes >= 1; bytes = Math.floor(bytes / 2)) {
    try {
      writeFileSync(file, Buffer.alloc(bytes), { flag: 'a' });
    } catch {
      // A smaller piece may still fit.
    }
  }
}
