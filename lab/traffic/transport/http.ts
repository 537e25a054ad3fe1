// HTTP connections to a gateway. Used by transport.ts.

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Answer, GatewayConnection } from './types.ts';

/** Keep-alive connections to one gateway, at most `connections`; more requests wait for one to be free. */
export function connectHttp(gateway: URL, connections: number, timeoutMs: number): GatewayConnection {
  const secure = gateway.protocol === 'https:';
  const options = { keepAlive: true, maxSockets: connections, scheduling: 'lifo' as const };
  const agent = secure ? new HttpsAgent(options) : new HttpAgent(options);
  const request = secure ? httpsRequest : httpRequest;
  const url = new URL('/v1/orders', gateway);

  return {
    post(body, token) {
      return new Promise((resolve, reject) => {
        const headers: Record<string, string | number> = {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        };
        if (token !== undefined) headers.authorization = `Bearer ${token}`;
        const outgoing = request(url, { agent, method: 'POST', headers, timeout: timeoutMs }, (response) =>
          readAnswer(response).then(resolve, reject),
        );
        outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
        outgoing.on('error', reject);
        outgoing.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  response.setEncoding('utf8');
  let body = '';
  for await (const chunk of response) body += chunk;
  const answer: Answer = { status: response.statusCode ?? 0, body };
  const retryAfter = Number(response.headers['retry-after']);
  if (Number.isFinite(retryAfter)) answer.retryAfterMs = retryAfter * 1_000;
  return answer;
}
