// A stranger on the network: asks every port of a mesh for everything there is, without credentials. Used by stranger.test.ts.

import { request } from 'node:http';
import { status } from '@grpc/grpc-js';
import { GrpcClient } from '../gateway/grpc/client.ts';

export interface Ports {
  /** HTTP and WebSocket of the gateway, and of the agent. */
  intake: number[];
  grpc: number;
  displays: number[];
  loyalty: number | undefined;
  /** By role. */
  admin: Record<string, number>;
}

const ORDER = '0192f1c2-7c1a-7cc0-8000-000000000001';
const STORE = 'us-il-0001';
const refusals = [400, 401, 403, 404, 405, 415, 426];

/** What a stranger tries as credentials. */
const attempts: Record<string, string>[] = [
  {},
  { authorization: 'Bearer guess' },
  { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdG9yZSI6InVzLWlsLTAwMDEiLCJleHAiOjk5OTk5OTk5OTl9.' },
  { authorization: `Basic ${Buffer.from('admin:admin').toString('base64')}` },
  { cookie: 'ordermesh_screen_8090=omscr_guess', 'x-forwarded-for': '127.0.0.1' },
];

const adminPaths = ['/metrics', '/debug/runtime', '/debug/profile?seconds=1', '/', '/status.json', '//metrics'];
const intakePaths: [method: 'GET' | 'POST' | 'PUT', path: string][] = [
  ['POST', '/v1/orders'],
  ['POST', '/v1/orders/batch'],
  ['GET', `/v1/orders/${ORDER}`],
  ['POST', `/v1/orders/${ORDER}/changes`],
  ['GET', `/v1/menus/${STORE}`],
  ['PUT', `/v1/menus/${STORE}/items/fries/availability`],
  ['GET', '/v1/stream'],
  ['GET', '/metrics'],
  ['GET', '/'],
];

/** Whatever a stranger got beyond health, the public documents and a page that asks for its admission: one line each. */
export async function whatAStrangerGets(ports: Ports): Promise<string[]> {
  const got: string[] = [];
  const ask = async (
    url: string,
    isFine: (status: number, text: string) => boolean,
    headers: Record<string, string>,
    method = 'GET',
  ) => {
    const answer = await exchange(url, method, headers);
    if (!isFine(answer.status, answer.text))
      got.push(`${method} ${url} with ${JSON.stringify(headers)}: ${answer.status} ${answer.text.slice(0, 200)}`);
  };
  const isRefused = (code: number) => refusals.includes(code);
  for (const headers of attempts) {
    for (const port of Object.values(ports.admin)) {
      const at = (path: string) => `http://127.0.0.1:${port}${path}`;
      await ask(at('/healthz'), (code, text) => code === 200 && text === 'ok\n', headers);
      await ask(at('/readyz'), (_, text) => /^(ready|not ready; the reasons need the token)\n$/.test(text), headers);
      for (const path of adminPaths) await ask(at(path), (code) => code === 401, headers);
    }
    for (const port of ports.intake) {
      for (const [method, path] of intakePaths)
        await ask(`http://127.0.0.1:${port}${path}`, isRefused, headers, method);
      await ask(`http://127.0.0.1:${port}/v1/stream`, isRefused, { ...headers, ...upgrade });
    }
    if (ports.loyalty !== undefined) await ask(`http://127.0.0.1:${ports.loyalty}/`, isRefused, headers, 'POST');
    for (const port of ports.displays) {
      const at = (path: string) => `http://127.0.0.1:${port}${path}`;
      for (const path of ['/live', `/live?store=${STORE}`])
        await ask(at(path), (code) => code === 401, { ...headers, ...upgrade });
      await ask(at('/v1/screens/me'), (_, text) => text === '{"access":"unpaired"}', headers);
      await ask(at(`/v1/stores/${STORE}/unavailable`), isRefused, headers);
      await ask(at('/metrics'), isRefused, headers);
    }
  }
  return [...got, ...(await fromGrpc(ports.grpc))];
}

const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** By hand, because `fetch` makes no upgrades and tidies paths. A socket that was upgraded counts as status 101. */
function exchange(
  url: string,
  method: string,
  headers: Record<string, string>,
): Promise<{ status: number; text: string }> {
  const { port, origin } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path: url.slice(origin.length),
      method,
      agent: false,
      headers: { ...(method === 'POST' ? { 'content-type': 'application/json' } : {}), ...headers },
    });
    sent.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve({ status: 101, text: 'upgraded' });
    });
    sent.on('response', async (response) =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(await response.toArray()).toString() }),
    );
    sent.on('error', reject);
    sent.end(method === 'POST' ? '{}' : undefined);
  });
}

async function fromGrpc(port: number): Promise<string[]> {
  using client = new GrpcClient(`http://127.0.0.1:${port}`, '');
  const outcomes = [await client.submit({}), await client.get(ORDER)];
  return outcomes
    .filter(({ code }) => code !== status.UNAUTHENTICATED)
    .map(({ code, message }) => `gRPC: ${code} ${message}`);
}
