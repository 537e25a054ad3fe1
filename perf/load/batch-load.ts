import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { constants, gzipSync } from 'node:zlib';
import { limits } from '../../contracts/limits.ts';
import type { Order } from '../../contracts/order/order.ts';
import { Upstream } from '../../edge/index.ts';

/**
 * Sends packed batches to a gateway, two in flight, as an edge agent with a backlog does, but made beforehand and without a disk. Last line of
 * the output: orders a second.
 *
 *   node perf/load/batch-load.ts URL TOKEN ORDERS <order.json
 */
const [url, token, wanted] = process.argv.slice(2);
if (url === undefined || token === undefined || wanted === undefined)
  throw new Error('usage: batch-load.ts URL TOKEN ORDERS <order.json');
const order = JSON.parse(await text(process.stdin)) as Order;
const bodies = Array.from({ length: Math.ceil(Number(wanted) / limits.batchOrdersMax) }, () => {
  const lines = Array.from({ length: limits.batchOrdersMax }, () =>
    JSON.stringify({ ...order, orderId: randomUUID() }),
  );
  return gzipSync(`${lines.join('\n')}\n`, { level: constants.Z_BEST_SPEED });
});
const upstream = new Upstream(url, 30_000, new AbortController().signal);
const headers = {
  authorization: `Bearer ${token}`,
  'content-type': 'application/x-ndjson',
  'content-encoding': 'gzip',
};
const startedAt = performance.now();
let next = 0;

async function send(): Promise<void> {
  for (;;) {
    const body = bodies[next];
    if (body === undefined) return;
    next++;
    const { status, body: answer } = await upstream.request({
      method: 'POST',
      path: '/v1/orders/batch',
      headers,
      body,
    });
    const { results } = JSON.parse(answer.toString()) as { results: { status: number }[] };
    const refused = results.find(({ status }) => status !== 202);
    if (status !== 207 || refused !== undefined) throw new Error(`the batch was answered ${refused?.status ?? status}`);
  }
}

await Promise.all([send(), send()]);
upstream.drop();
console.log(Math.round((bodies.length * limits.batchOrdersMax * 1_000) / (performance.now() - startedAt)));
