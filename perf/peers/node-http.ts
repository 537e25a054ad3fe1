import { createServer } from 'node:http';

/**
 * What a gateway on Node's own HTTP server starts from: it reads the body, parses it, answers 202, and stores nothing.
 *
 *   node perf/peers/node-http.ts [PORT]
 */
const port = Number(process.argv[2] ?? 0);

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { orderId } = JSON.parse(Buffer.concat(chunks).toString()) as { orderId: string };
    response.writeHead(202, { 'content-type': 'application/json' }).end(`{"orderId":"${orderId}"}`);
  });
}).listen(port, '127.0.0.1', () => process.send?.({ type: 'ready' }));
