import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { Order } from '../../contracts/order/order.ts';
import { Spool } from '../../edge/index.ts';

/**
 * Fills a spool with unsent orders like the one on standard input, each with an orderId of its own.
 *
 *   node perf/load/fill-spool.ts FILE ORDERS <order.json
 */
const [path, wanted] = process.argv.slice(2);
if (path === undefined || wanted === undefined) throw new Error('usage: fill-spool.ts FILE ORDERS <order.json');
const order = JSON.parse(await text(process.stdin)) as Order;
const spool = new Spool({
  path,
  unsentOrdersMax: Number(wanted),
  bytesMax: 2 ** 40,
  diskFreeMin: 0,
  replayWindowMs: 1,
});
const CHUNK = 5_000;
for (let kept = 0; kept < Number(wanted); kept += CHUNK) {
  const count = Math.min(CHUNK, Number(wanted) - kept);
  spool.commit(
    Array.from({ length: count }, () => {
      const orderId = randomUUID();
      const value = Buffer.from(JSON.stringify({ ...order, orderId }));
      return { orderId, storeId: order.storeId, lane: 0, content: orderId.slice(0, 16), acceptedAt: Date.now(), value };
    }),
    [],
  );
}
spool.close();
