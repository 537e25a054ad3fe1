// A real HTTP server that accepts orders and can stall. Used by the tests of this folder.

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeGateway extends AsyncDisposable {
  url: URL;
  /** From now on every order waits. */
  stall(): void;
  /** Answers what waits, and from now on at once. */
  goOn(): void;
  readonly waiting: number;
}

export async function startFakeGateway(onOrder: (count: number) => void = () => {}): Promise<FakeGateway> {
  let held: ServerResponse[] | undefined;
  let count = 0;
  const accept = (response: ServerResponse) => response.writeHead(202).end('{"orderId":"one","status":"accepted"}');
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      onOrder(++count);
      if (held === undefined) accept(response);
      else held.push(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    stall() {
      held ??= [];
    },
    goOn() {
      const waiting = held ?? [];
      held = undefined;
      waiting.forEach(accept);
    },
    get waiting() {
      return held?.length ?? 0;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
