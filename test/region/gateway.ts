import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a failover's probe sees of a gateway: takes every order, and every order is rejected. */
export async function startProbedGateway(region: string): Promise<AsyncDisposable & { port: number }> {
  const server = createServer((request, response) => {
    response.setHeader('x-ordermesh-region', region);
    response.statusCode = request.method === 'POST' ? 202 : 200;
    request.resume().on('end', () => response.end('{"status":"rejected"}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
