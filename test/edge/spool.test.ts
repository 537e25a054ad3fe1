import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Spool, SpoolFullError } from '../../edge/spool.ts';

let directory: string;
const path = () => join(directory, 'spool.db');
const order = (n: number) => ({ orderId: `order-${n}`, storeId: 'us-il-0001', value: Buffer.from(`{"n":${n}}`) });
const append = (spool: Spool, n: number) =>
  new Promise<void>((resolve, reject) =>
    spool.append(order(n), (error) => (error === null ? resolve() : reject(error))),
  );

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spool-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('spool', () => {
  it('keeps what it acknowledged when the process is killed', () => {
    const module = new URL('../../edge/spool.ts', import.meta.url).href;
    const program = `
      import { Spool } from ${JSON.stringify(module)};
      const spool = new Spool({ path: ${JSON.stringify(path())}, unsentOrdersMax: 10 });
      spool.append({ orderId: 'a', storeId: 's', value: Buffer.from('1') }, () => process.kill(process.pid, 'SIGKILL'));`;
    expect(() => execFileSync(process.execPath, ['--input-type=module', '-e', program])).toThrow();
    const spool = new Spool({ path: path(), unsentOrdersMax: 10 });
    expect(spool.unsent(10).map(({ orderId }) => orderId)).toEqual(['a']);
    expect(spool.unsentCount).toBe(1);
    spool.close();
  });

  it('hands orders out in the order of acceptance, until they are settled', async () => {
    const spool = new Spool({ path: path(), unsentOrdersMax: 10 });
    await Promise.all([1, 2, 3].map((n) => append(spool, n)));
    const [first] = spool.unsent(1);
    expect(first?.orderId).toBe('order-1');
    spool.settle([{ sequence: first?.sequence ?? 0 }], Date.now());
    expect(spool.unsent(10).map(({ orderId }) => orderId)).toEqual(['order-2', 'order-3']);
    expect(spool.unsentCount).toBe(2);
    spool.close();
  });

  it('takes the same order twice as one', async () => {
    const spool = new Spool({ path: path(), unsentOrdersMax: 10 });
    await append(spool, 1);
    await append(spool, 1);
    expect(spool.unsentCount).toBe(1);
    spool.close();
  });

  it('refuses a new order at its bound and keeps the unsent ones', async () => {
    const spool = new Spool({ path: path(), unsentOrdersMax: 2 });
    await Promise.all([append(spool, 1), append(spool, 2)]);
    await expect(append(spool, 3)).rejects.toBeInstanceOf(SpoolFullError);
    expect(spool.unsent(10)).toHaveLength(2);
    spool.close();
  });
});
