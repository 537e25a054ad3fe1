// An HTTP proxy before BigQuery and before the loyalty function that can answer by itself. Started by cloud.ts.

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

/** What the proxy answers instead of the server. */
export interface Refusal {
  status: number;
  /** Sent as JSON. */
  body: object;
  /** How long the answer is held back, in milliseconds. */
  afterMs: number;
}

export interface HttpProxy {
  /** host:port. */
  readonly address: string;
  /** Requests that were refused since the start. */
  readonly refused: number;
  /** Answers every request by itself. What is in flight goes on. */
  refuse(refusal: Refusal): void;
  /** Passes requests on again. */
  pass(): void;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/** @param target host:port of the server; it may start later */
export async function startHttpProxy(port: number, target: string): Promise<HttpProxy> {
  const { hostname, port: targetPort } = new URL(`http://${target}`);
  let refusal: Refusal | undefined;
  let refused = 0;

  const forward = (incoming: IncomingMessage, response: ServerResponse) => {
    const { method, url } = incoming;
    const { connection: _, ...headers } = incoming.headers;
    // A connection for each request: a kept one could be closed by the server just when the next request is sent on it.
    const outgoing = request({ hostname, port: targetPort, method, path: url, headers, agent: false }, (answer) => {
      delete answer.headers.connection;
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    // The caller sees a broken connection, as it would without the proxy.
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  };

  const server = createServer((incoming, response) => {
    if (refusal === undefined) return forward(incoming, response);
    const { status, body, afterMs } = refusal;
    refused++;
    incoming.resume();
    setTimeout(() => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    }, afterMs);
  });
  // For the same reason on the side of the caller.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, resolve);
  });

  return {
    address: `${HOST}:${port}`,
    get refused() {
      return refused;
    },
    refuse(by) {
      refusal = by;
    },
    pass() {
      refusal = undefined;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
