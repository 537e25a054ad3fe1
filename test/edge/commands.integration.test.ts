import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ScreenFile, screenFileOf } from '../../edge/kitchen/screen-file.ts';
import { salvageSpool } from '../../edge/spool/salvage.ts';
import { Spool } from '../../edge/spool/spool.ts';
import { type Finished, ordermesh } from '../support/ordermesh.ts';

let directory: string;
// Each step is a process of its own.
vi.setConfig({ testTimeout: 60_000 });
const path = () => join(directory, 'spool.db');

const edge = (...args: string[]): Promise<Finished> =>
  ordermesh(['edge', ...args], { ORDERMESH_EDGE_SPOOL: path(), ORDERMESH_ADMIN_PORT: '1' });
const ids = {
  unsent: '00000000-0000-4000-8000-000000000001',
  confirmed: '00000000-0000-4000-8000-000000000002',
  refused: '00000000-0000-4000-8000-000000000003',
};

function withSpool<T>(work: (spool: Spool) => T): T {
  const spool = new Spool({
    path: path(),
    unsentOrdersMax: 100,
    bytesMax: 2 ** 30,
    diskFreeMin: 0,
    replayWindowMs: 1_000_000,
  });
  try {
    return work(spool);
  } finally {
    spool.close();
  }
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spool-'));
  withSpool((spool) => {
    const orders = Object.values(ids).map((orderId, index) => ({
      orderId,
      storeId: 'us-il-0001',
      lane: 0,
      content: orderId,
      acceptedAt: Date.parse('2026-11-22T10:00:00Z') + index * 60_000,
      value: Buffer.from(`{\n  "orderId": "${orderId}"\n}`),
    }));
    spool.commit(orders, []);
    spool.reached('east');
    spool.commit(
      [],
      [
        { sequence: 2, region: 'east' },
        { sequence: 3, region: 'east', problem: 'order-conflict: sent before with other content' },
      ],
    );
  });
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('ordermesh edge', () => {
  test('status: tells what the file says while the agent is stopped, and that an operator has to act', async () => {
    const { code, stdout } = await edge('status', '--json');
    expect(code).toBe(1);
    const status = JSON.parse(stdout);
    expect(status).toMatchObject({ agent: 'stopped', line: null, heldBack: [] });
    expect(status.spool).toMatchObject({ unsent: 1, confirmed: 1, refused: 1, replaying: 0, region: 'east' });
    expect((await edge('status')).stdout).toContain('The region refuses 1 order');
  });

  test('screens: a code is admitted once, listed, and revoked; what is wrong is named', async () => {
    expect((await edge('screens', 'list')).stdout).toBe('no screen is admitted\n');
    const tokenHash = Buffer.alloc(32, 1);
    {
      using screens = new ScreenFile(screenFileOf(path()), 'us-il-0001');
      await screens.openPairing({
        code: 'K7M3QP',
        tokenHash,
        wantsStore: undefined,
        address: '192.0.2.7',
        ttlMs: 600_000,
        openMax: 10,
        openOfAddressMax: 10,
      });
    }
    const wrong = await edge('screens', 'pair', 'K7M3QQ');
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('no screen waits with the code K7M3QQ') });
    expect((await edge('screens', 'pair', 'K7M3Q')).stderr).toContain('six letters and digits');
    const paired = await edge('screens', 'pair', 'k7m3qp', '--name', 'grill', '--json');
    const { screenId } = JSON.parse(paired.stdout);
    expect((await edge('screens', 'pair', 'K7M3QP')).code).toBe(2);
    const listed = JSON.parse((await edge('screens', 'list', '--json')).stdout);
    expect(listed).toMatchObject({ screens: [{ screenId, name: 'grill', seenAt: null }] });
    {
      using screens = new ScreenFile(screenFileOf(path()), 'us-il-0001');
      expect(await screens.find(tokenHash)).toEqual({ screenId, name: 'grill', storeId: 'us-il-0001' });
    }
    expect((await edge('screens', 'revoke', screenId)).stdout).toBe(`${screenId} was removed\n`);
    expect(await edge('screens', 'revoke', screenId)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`no admitted screen has the id ${screenId}`),
    });
    rmSync(path());
    expect((await edge('screens', 'list')).code).not.toBe(0);
  });

  test('inspect: lists by state, and shows one with its content', async () => {
    const listed = await edge('inspect', '--state', 'refused', '--json');
    expect(listed.code).toBe(0);
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { orderId: ids.refused, state: 'refused', region: 'east', problem: expect.stringContaining('order-conflict') },
    ]);
    const shown = await edge('inspect', ids.unsent);
    expect(shown.stdout).toContain('unsent, accepted at 2026-11-22T10:00:00.000Z');
    expect(shown.stdout).toContain('"orderId": "00000000-0000-4000-8000-000000000001"');
    expect((await edge('inspect', '--limit', '1')).stderr).toContain('the first 1 of 3');
    const unknown = await edge('inspect', '00000000-0000-4000-8000-000000000009');
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('is not in the spool') });
  });

  test('export: writes the orders one a line, never over a file', async () => {
    const out = await edge('export', '-');
    expect(out.stdout).toBe(`{   "orderId": "${ids.unsent}" }\n`);
    const file = join(directory, 'orders.ndjson');
    const all = await edge('export', file, '--state', 'all', '--since', '2026-11-22T10:01:00Z', '--json');
    expect(JSON.parse(all.stdout)).toEqual({ exported: 2 });
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
    expect(await edge('export', file)).toMatchObject({ code: 2, stderr: expect.stringContaining('EEXIST') });
  });

  test('retry: refused orders are unsent again, confirmed ones are replayed', async () => {
    expect((await edge('retry')).code).toBe(2);
    expect(JSON.parse((await edge('retry', '--all', '--json')).stdout)).toEqual({ retried: 1 });
    expect((await edge('retry', '--all')).code).toBe(1);
    expect((await edge('retry', '--confirmed', '--since', '2026-11-22T09:00:00Z')).stdout).toContain('1 order will be');
    const { counts, batch } = withSpool((spool) => ({
      counts: spool.counts(),
      batch: spool.batch({ ordersMax: 10, bytesMax: 2 ** 20, after: [], except: [], region: 'east' }),
    }));
    expect(counts).toMatchObject({ unsent: 2, refused: 0, replaying: 1 });
    expect(batch.orderIds).toEqual([ids.unsent, ids.refused, ids.confirmed]);
  });

  test('retry: exits with an error when a named order cannot be sent again', async () => {
    const some = await edge('retry', ids.refused, ids.unsent);
    expect(some).toMatchObject({ code: 1, stdout: '1 order will be sent again\n' });
    expect(some.stderr).toContain('1 order of those named left alone');
  });

  test('a spool path that is a directory is named', async () => {
    const { code, stderr } = await ordermesh(['edge', 'status'], { ORDERMESH_EDGE_SPOOL: directory });
    expect(stderr).toContain(`${directory} is a directory; ORDERMESH_EDGE_SPOOL takes the file of the spool`);
    expect(code).toBe(2);
  });

  test('discard: takes out what the region refused, and nothing else', async () => {
    expect((await edge('discard', ids.unsent, ids.confirmed)).code).toBe(1);
    expect((await edge('discard', ids.refused)).code).toBe(0);
    expect(withSpool((spool) => spool.counts())).toMatchObject({ unsent: 1, confirmed: 1, refused: 0 });
  });

  test('works beside an agent that has the file open, and the agent notices the changes', async () => {
    const spool = new Spool({
      path: path(),
      unsentOrdersMax: 100,
      bytesMax: 2 ** 30,
      diskFreeMin: 0,
      replayWindowMs: 1_000,
    });
    expect((await edge('retry', ids.refused)).code).toBe(0);
    expect(spool.counts()).toMatchObject({ unsent: 2, refused: 0 });
    spool.close();
  });

  test('acknowledge: a damage that may have cost orders is shown, with exit code 1, until an operator says that it is settled', async () => {
    expect((await edge('acknowledge')).code).toBe(1);
    truncateSync(path());
    salvageSpool(path(), 'then');
    const { code, stdout } = await edge('status');
    expect(code).toBe(1);
    expect(stdout).toContain('Orders may be lost, the spool was damaged (then: it is not known');
    expect(await edge('acknowledge')).toMatchObject({ code: 0, stdout: expect.stringContaining('damaged-then') });
    const { stdout: after } = await edge('status');
    expect(after).not.toContain('may be lost');
    expect(after).toMatch(/Damage +then: it is not known/);
  });

  test('does not make a spool where there is none', async () => {
    rmSync(path());
    const { code, stderr } = await edge('status');
    expect(code).toBe(2);
    expect(stderr).toContain('ORDERMESH_EDGE_SPOOL');
    expect(existsSync(path())).toBe(false);
  });

  test.each(['status', 'inspect', 'export', 'retry', 'discard', 'acknowledge'])('%s --help', async (command) => {
    const { code, stdout } = await edge(command, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain('--json');
  });
});
