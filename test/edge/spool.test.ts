import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockSpool } from '../../edge/spool/lock.ts';
import { lanes, type NewOrder } from '../../edge/spool/order.ts';
import { finishSalvage, salvageSpool } from '../../edge/spool/salvage.ts';
import { Spool, SpoolFullError, type SpoolOptions } from '../../edge/spool/spool.ts';
import { isDamage } from '../../edge/spool/sqlite-errors.ts';

let directory: string;
let opened: Spool[];
const path = () => join(directory, 'spool.db');

const newOrder = (n: number, changes: Partial<NewOrder> = {}): NewOrder => ({
  orderId: `order-${n}`,
  storeId: 'us-il-0001',
  lane: lanes.urgent,
  content: `content-${n}`,
  value: Buffer.from(`{"n":${n}}`),
  acceptedAt: n,
  ...changes,
});
const some = (from: number, to: number, changes: Partial<NewOrder> = {}) =>
  Array.from({ length: to - from + 1 }, (_, index) => newOrder(from + index, changes));

function open(changes: Partial<SpoolOptions> = {}): Spool {
  const spool = new Spool({
    path: path(),
    unsentOrdersMax: 1_000_000,
    bytesMax: 2 ** 30,
    diskFreeMin: 0,
    replayWindowMs: 60_000,
    ...changes,
  });
  opened.push(spool);
  return spool;
}

function close(spool: Spool): void {
  opened = opened.filter((one) => one !== spool);
  spool.close();
}

function counted() {
  const spool = open();
  const counts = spool.counts();
  close(spool);
  return counts;
}

const batch = (spool: Spool, changes: Partial<Parameters<Spool['batch']>[0]> = {}) =>
  spool.batch({ ordersMax: 1_000, bytesMax: 2 ** 20, after: [], except: [], ...changes });
const unsent = (spool: Spool) => batch(spool).orderIds;

function confirmAll(spool: Spool, region: string): void {
  spool.reached(region);
  spool.commit(
    [],
    batch(spool, { region }).sequences.map((sequence) => ({ sequence, region })),
  );
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spool-'));
  opened = [];
});
afterEach(() => {
  for (const spool of opened) spool.close();
  rmSync(directory, { recursive: true });
});

describe('what is kept', () => {
  test('survives a kill right after the commit', () => {
    const module = new URL('../../edge/spool/spool.ts', import.meta.url).href;
    const options = { path: path(), unsentOrdersMax: 10, bytesMax: 2 ** 30, diskFreeMin: 0, replayWindowMs: 1 };
    const order = { orderId: 'a', storeId: 's', lane: 0, content: 'c', acceptedAt: 1 };
    const program = `
      import { Spool } from ${JSON.stringify(module)};
      const spool = new Spool(${JSON.stringify(options)});
      spool.commit([{ ...${JSON.stringify(order)}, value: Buffer.from('1') }], []);
      process.kill(process.pid, 'SIGKILL');`;
    expect(() => execFileSync(process.execPath, ['--input-type=module', '-e', program])).toThrow();
    const spool = open();
    expect(unsent(spool)).toEqual(['a']);
    expect(spool.counts().unsent).toBe(1);
  });

  test('comes out in the order of acceptance, one order a line, until it is settled', () => {
    const spool = open();
    spool.commit([newOrder(1), newOrder(2, { value: Buffer.from('{\r\n "n": 2\n}') }), newOrder(3)], []);
    const { body, sequences } = batch(spool);
    expect(Buffer.from(body).toString()).toBe('{"n":1}\n{   "n": 2 }\n{"n":3}\n');
    spool.commit([], [{ sequence: sequences[0] ?? 0, region: 'east' }]);
    expect(unsent(spool)).toEqual(['order-2', 'order-3']);
    expect(spool.counts()).toMatchObject({ unsent: 2, confirmed: 1 });
  });

  test('is one order, however often it is sent, and a conflict with other content', () => {
    const spool = open();
    expect(spool.commit([newOrder(1), newOrder(1)], [])).toEqual(['kept', 'known']);
    expect(spool.commit([newOrder(1), newOrder(1, { content: 'other' })], [])).toEqual(['known', 'conflict']);
    expect(spool.counts().unsent).toBe(1);
  });

  test('is not counted twice when a commit fails in the middle', () => {
    const spool = open();
    const unfit = newOrder(2, { content: undefined as unknown as string });
    expect(() => spool.commit([newOrder(1), unfit], [])).toThrow();
    expect(spool.counts().unsent).toBe(0);
    expect(spool.commit([newOrder(1)], [])).toEqual(['kept']);
  });
});

describe('lanes', () => {
  test('sends urgent orders first, and others with a share', () => {
    const spool = open();
    spool.commit([...some(1, 40, { lane: lanes.normal }), ...some(41, 80)], []);
    const { orderIds } = batch(spool, { ordersMax: 16 });
    expect(orderIds.filter((id) => Number(id.slice(6)) > 40)).toHaveLength(14 - 2);
    expect(orderIds[0]).toBe('order-41');
    expect(orderIds).toContain('order-1');
  });

  test('fills a batch from all lanes, and continues where the last batch ended', () => {
    const spool = open();
    spool.commit([...some(1, 5), ...some(6, 10, { lane: lanes.normal })], []);
    const first = batch(spool, { ordersMax: 8 });
    expect(first.orderIds).toHaveLength(8);
    const after = first.lanes.map((lane, index) => [lane, first.sequences[index] ?? 0] as const);
    const second = batch(spool, { ordersMax: 8, after: [...new Map(after)] });
    expect([...first.orderIds, ...second.orderIds].sort()).toEqual(
      some(1, 10)
        .map(({ orderId }) => orderId)
        .sort(),
    );
  });

  test('ends a batch at its bytes, with one order at least, and leaves out what is held back', () => {
    const spool = open();
    spool.commit(some(1, 4, { value: Buffer.alloc(100, 0x20) }), []);
    expect(batch(spool, { bytesMax: 250 }).orderIds).toEqual(['order-1', 'order-2']);
    expect(batch(spool, { bytesMax: 10 }).orderIds).toEqual(['order-1']);
    expect(batch(spool, { except: [1, 3] }).orderIds).toEqual(['order-2', 'order-4']);
    expect(batch(spool, { only: 3, bytesMax: 10 }).orderIds).toEqual(['order-3']);
  });
});

describe('a change of region', () => {
  test('sends again what another region has confirmed, after a restart too, and each order once', () => {
    const spool = open();
    spool.commit(some(1, 3), []);
    confirmAll(spool, 'east');
    expect(batch(spool, { region: 'east' }).orderIds).toEqual([]);
    spool.reached('west');
    close(spool);
    const again = open();
    expect(again.counts()).toMatchObject({ region: 'west', replaying: 3 });
    expect(batch(again, { region: 'west' }).orderIds).toEqual(['order-1', 'order-2', 'order-3']);
    confirmAll(again, 'west');
    expect(again.counts()).toMatchObject({ replaying: 0, confirmed: 3 });
    expect(batch(again, { region: 'west' }).orderIds).toEqual([]);
  });

  test('replays behind new orders', () => {
    const spool = open();
    spool.commit(some(1, 2), []);
    confirmAll(spool, 'east');
    spool.commit([newOrder(3)], []);
    expect(batch(spool, { region: 'west' }).orderIds).toEqual(['order-3', 'order-1', 'order-2']);
  });

  test('replays nothing that is older than the window, and drops it', () => {
    let now = 0;
    const spool = open({ replayWindowMs: 1_000, monotonic: () => now });
    spool.commit([newOrder(1)], []);
    confirmAll(spool, 'east');
    now = 900;
    spool.commit([newOrder(2)], []);
    confirmAll(spool, 'east');
    now = 1_500;
    expect(batch(spool, { region: 'west' }).orderIds).toEqual(['order-2']);
    expect(spool.prune()).toBe(1);
    expect(spool.counts().confirmed).toBe(1);
  });

  test('counts the window in running time: a clock that jumps and a night without power change nothing', () => {
    let now = 5_000_000;
    const monotonic = () => now;
    const first = open({ replayWindowMs: 1_000, monotonic });
    first.commit([newOrder(1, { acceptedAt: Date.parse('2031-01-01') })], []);
    confirmAll(first, 'east');
    now += 600;
    close(first);
    // Another boot: the monotonic clock begins again, the wall clock is years behind.
    now = 0;
    const second = open({ replayWindowMs: 1_000, monotonic });
    second.commit([newOrder(2, { acceptedAt: 0 })], []);
    expect(second.prune()).toBe(0);
    expect(batch(second, { region: 'west' }).orderIds).toEqual(['order-2', 'order-1']);
    now = 500;
    expect(second.prune()).toBe(1);
  });
});

describe('bounds', () => {
  test('refuses a new order at the bound, keeps the unsent ones, and takes orders again when there is room', () => {
    const spool = open({ unsentOrdersMax: 2 });
    spool.commit(some(1, 2), []);
    expect(() => spool.commit([newOrder(3)], [])).toThrow(SpoolFullError);
    expect(unsent(spool)).toEqual(['order-1', 'order-2']);
    expect(spool.counts().full).toContain('the bound is 2');
    spool.commit([], [{ sequence: 1, region: 'east' }]);
    expect(spool.counts().full).toBeNull();
    expect(spool.commit([newOrder(3)], [{ sequence: 2, region: 'east' }])).toEqual(['kept']);
  });

  test('keeps the settlements of a commit whose orders it refuses', () => {
    const spool = open({ unsentOrdersMax: 2 });
    spool.commit(some(1, 2), []);
    expect(() => spool.commit(some(3, 5), [{ sequence: 1, region: 'east' }])).toThrow(SpoolFullError);
    expect(spool.counts()).toMatchObject({ unsent: 1, confirmed: 1 });
  });

  test('drops the oldest confirmed orders at the quota, then refuses; unsent ones never go', () => {
    const bytesMax = 2 ** 20;
    const spool = open({ bytesMax });
    const value = Buffer.alloc(2_000, 0x20);
    spool.commit(some(1, 200, { value }), []);
    confirmAll(spool, 'east');
    let next = 201;
    for (;;) {
      try {
        spool.commit([newOrder(next, { value })], []);
        next++;
      } catch (error) {
        expect(error).toBeInstanceOf(SpoolFullError);
        break;
      }
    }
    const { unsent: waiting, confirmed, bytes } = spool.counts();
    expect(confirmed).toBe(0);
    expect(waiting).toBe(next - 201);
    expect(bytes).toBeLessThanOrEqual(bytesMax);
    expect(batch(spool, { bytesMax: 2 ** 30 }).orderIds[0]).toBe('order-201');
  });
});

describe('the file under a spool that is open', () => {
  const remove = (...suffixes: string[]) => {
    for (const suffix of suffixes) rmSync(path() + suffix);
  };
  test.each([
    ['is removed', () => remove('', '-wal', '-shm')],
    ['is removed without its log', () => remove('')],
    ['loses its log', () => remove('-wal')],
    ['is emptied', () => truncateSync(path())],
    [
      'is another one',
      () => {
        renameSync(path(), join(directory, 'moved.db'));
        writeFileSync(path(), 'another file');
      },
    ],
  ])('takes no order once it %s, and says so', (_, change) => {
    const spool = open();
    spool.commit(some(1, 3), []);
    expect(spool.counts().full).toBeNull();
    change();
    expect(() => spool.commit([newOrder(4)], [])).toThrow(SpoolFullError);
    expect(spool.counts().full).toContain(path());
    // As if there was room to make: the caller would try for ever.
    expect(spool.writeBack()).toBe(false);
    // Accepted orders still go to the region.
    expect(unsent(spool)).toEqual(['order-1', 'order-2', 'order-3']);
  });

  test('takes orders while it is the same file, however often its log is checkpointed', () => {
    const spool = open();
    for (let n = 1; n <= 5; n++) {
      expect(spool.commit([newOrder(n)], [])).toEqual(['kept']);
      spool.writeBack();
    }
  });
});

describe('damage', () => {
  test('ignores a write that was cut off at the end of the log', () => {
    const spool = open();
    spool.commit(some(1, 3), []);
    // As after a power loss: the log ends in the middle of a frame that was never acknowledged.
    appendFileSync(`${path()}-wal`, Buffer.alloc(3_000, 0x5a));
    const copy = join(directory, 'copy.db');
    for (const suffix of ['', '-wal']) execFileSync('cp', [path() + suffix, copy + suffix]);
    expect(unsent(open({ path: copy }))).toEqual(['order-1', 'order-2', 'order-3']);
  });

  test('salvages every order that can be read, and keeps the damaged file', () => {
    const spool = open();
    spool.keepTickets({ kept: [['order-1', 'bumped']], dropped: [] });
    spool.commit(some(1, 400, { value: Buffer.alloc(1_000, 0x20) }), []);
    close(spool);
    overwrite(path(), 40 * 4_096, 2 * 4_096);
    const { orders, unreadable, keptAs } = salvageSpool(path(), 'then');
    expect(orders).toBeGreaterThan(380);
    expect(orders + (unreadable ?? 0)).toBeGreaterThanOrEqual(400);
    expect(existsSync(keptAs)).toBe(true);
    const saved = open();
    expect(saved.counts()).toMatchObject({ unsent: orders });
    expect(saved.counts().damage).toContain(keptAs);
    expect(unsent(saved)).toContain('order-1');
    expect(saved.tickets(0).entries).toEqual(['bumped']);
  });

  test.each([
    ['nothing', () => overwrite(path(), 0, statSync(path()).size)],
    ['its first page, and so nothing,', () => overwrite(path(), 0, 4_096)],
    ['an empty file', () => truncateSync(path())],
  ])('starts with an empty spool where %s can be read, and does not say that no order is missing', (_, damage) => {
    const spool = open();
    spool.commit(some(1, 100), []);
    close(spool);
    damage();
    expect(damageOf(() => open())).toBe(true);
    expect(salvageSpool(path(), 'then')).toMatchObject({ orders: 0, unreadable: undefined });
    const { unsent, damage: said, lossOpen } = open().counts();
    expect(unsent).toBe(0);
    expect(said).toContain('it is not known how many orders were in it');
    expect(lossOpen).toBe(true);
    expect(readdirSync(directory)).toContain('spool.db.damaged-then');
  });

  test('is no loss when every order was saved, and stays one over another damage', () => {
    const spool = open();
    spool.commit(some(1, 400, { value: Buffer.alloc(1_000, 0x20) }), []);
    close(spool);
    salvageSpool(path(), 'first');
    expect(counted()).toMatchObject({ unsent: 400, lossOpen: false, damage: expect.stringContaining('first') });
    overwrite(path(), 40 * 4_096, 2 * 4_096);
    salvageSpool(path(), 'second');
    expect(counted().lossOpen).toBe(true);
    salvageSpool(path(), 'third');
    expect(counted()).toMatchObject({ lossOpen: true, damage: expect.stringMatching(/third.*second/) });
  });

  test('counts an order that can be read but has lost a field', () => {
    const spool = open();
    spool.commit(some(1, 3), []);
    close(spool);
    const damaged = new DatabaseSync(path());
    damaged.enableDefensive(false);
    damaged.exec("pragma writable_schema = on; update sqlite_schema set sql = replace(sql, 'not null', '')");
    damaged.close();
    const edited = new DatabaseSync(path());
    edited.exec('update orders set store_id = null where sequence = 2');
    edited.close();
    expect(salvageSpool(path(), 'then')).toMatchObject({ orders: 2, unreadable: 1 });
    expect(counted()).toMatchObject({ unsent: 2, lossOpen: true });
  });

  test('is reported when the board of the kitchen cannot be read', () => {
    const spool = open();
    spool.commit(some(1, 3), []);
    close(spool);
    const damaged = new DatabaseSync(path());
    damaged.exec('drop table kitchen');
    damaged.close();
    expect(salvageSpool(path(), 'then').report).toContain(
      '3 orders were saved, at most 0 were not; the board of the kitchen',
    );
    expect(counted()).toMatchObject({ unsent: 3, lossOpen: false });
  });

  test('is salvaged later when the disk has no room for it now', () => {
    const spool = open();
    spool.commit(some(1, 400, { value: Buffer.alloc(1_000, 0x20) }), []);
    close(spool);
    overwrite(path(), 40 * 4_096, 2 * 4_096);
    const damaged = readFileSync(path());
    const module = new URL('../../edge/spool/salvage.ts', import.meta.url).href;
    const program = `import { salvageSpool } from ${JSON.stringify(module)}; salvageSpool(${JSON.stringify(path())}, 'now');`;
    // The copy would have more than the 100 KiB that a file of this process may have.
    const node = ['-c', 'ulimit -f 100; exec "$@"', 'bash', process.execPath, '--input-type=module', '-e', program];
    expect(spawnSync('bash', node).status).not.toBe(0);
    expect(readFileSync(path())).toEqual(damaged);
    expect(salvageSpool(path(), 'later').orders).toBeGreaterThan(380);
    expect(counted().unsent).toBeGreaterThan(380);
  });

  test('is salvaged although the process ended between putting the damaged file aside and the new one in its place', () => {
    const spool = open();
    spool.commit(some(1, 3), []);
    close(spool);
    salvageSpool(path(), 'then');
    renameSync(path(), `${path()}.salvage`);
    writeFileSync(`${path()}-wal`, 'of the damaged file');
    finishSalvage(path(), 'later');
    expect(counted().unsent).toBe(3);
  });

  test('is not reported for a first start that was cut short: it begins again', () => {
    writeFileSync(`${path()}.new`, 'half');
    expect(counted()).toMatchObject({ unsent: 0, damage: null, lossOpen: false });
    expect(readdirSync(directory)).not.toContain('spool.db.new');
  });

  test('leaves the file of a newer version as it is', () => {
    close(open());
    const database = new DatabaseSync(path());
    database.exec('pragma user_version = 99');
    database.close();
    expect(() => open()).toThrow('newer version');
  });
});

test('belongs to one agent at a time', () => {
  const lock = lockSpool(path());
  const module = new URL('../../edge/spool/lock.ts', import.meta.url).href;
  const program = `import { lockSpool } from ${JSON.stringify(module)}; lockSpool(${JSON.stringify(path())}).release();`;
  const run = () => execFileSync(process.execPath, ['--input-type=module', '-e', program], { stdio: 'pipe' });
  expect(run).toThrow('another edge agent uses the spool');
  lock.release();
  run();
});

function overwrite(file: string, from: number, length: number): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(length, 0xff), 0, length, from);
  closeSync(handle);
}

function damageOf(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (error) {
    return isDamage(error);
  }
}
