import { App } from 'uWebSockets.js';

/**
 * The ceiling of the gateway: uWebSockets.js parses the JSON body and answers 202, and stores nothing.
 *
 *   node perf/limits/uws-answer.ts [PORT]
 */
const port = Number(process.argv[2] ?? 0);

App()
  .post('/v1/orders', (response) => {
    let body: Buffer | undefined;
    let aborted = false;
    response.onAborted(() => {
      aborted = true;
    });
    response.onData((chunk, isLast) => {
      const copy = Buffer.from(chunk.slice(0));
      body = body === undefined ? copy : Buffer.concat([body, copy]);
      if (!isLast || aborted) return;
      const { orderId } = JSON.parse(body.toString()) as { orderId: string };
      response.cork(() => {
        response
          .writeStatus('202 Accepted')
          .writeHeader('content-type', 'application/json')
          .end(`{"orderId":"${orderId}"}`);
      });
    });
  })
  .listen('127.0.0.1', port, (listening) => {
    if (!listening) throw new Error(`port ${port} is in use`);
    process.send?.({ type: 'ready' });
  });
