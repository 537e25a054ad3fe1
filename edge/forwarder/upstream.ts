// Sends requests to the region's gateway. Used by forwarder.ts and status-lookup.ts.

import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** A name is looked up again after this time at the latest, so that the agent follows a failover, which changes the DNS. */
const CONNECTIONS_AGE_MS_MAX = 10_000;
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

export interface UpstreamRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  path: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
}

export interface UpstreamAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** The region did not answer. `reached`: the request was sent, so it may have had an effect. */
export class NoAnswerError extends Error {
  override name = 'NoAnswerError';
  readonly reached: boolean;

  constructor(message: string, reached: boolean) {
    super(message);
    this.reached = reached;
  }
}

/**
 * HTTP to the region's gateway. Connections are used again for a while and dropped after any failure, because a live connection to a region
 * that has failed over would hide the new address.
 */
export class Upstream {
  readonly #base: URL;
  readonly #answerMsMax: number;
  readonly #stop: AbortSignal;
  #agent: { agent: HttpAgent; madeAt: number; users: number; retired: boolean } | undefined;

  constructor(base: string, answerMsMax: number, stop: AbortSignal) {
    this.#base = new URL(base);
    this.#answerMsMax = answerMsMax;
    this.#stop = stop;
  }

  /** @throws NoAnswerError */
  async request({ method, path, headers = {}, body }: UpstreamRequest): Promise<UpstreamAnswer> {
    const connections = this.#connections();
    connections.users++;
    try {
      return await this.#send(connections.agent, method, path, headers, body);
    } catch (error) {
      this.drop();
      throw error;
    } finally {
      connections.users--;
      if (connections.retired && connections.users === 0) connections.agent.destroy();
    }
  }

  /** The next request resolves the name again, on a new connection. */
  drop(): void {
    const connections = this.#agent;
    this.#agent = undefined;
    if (connections === undefined) return;
    connections.retired = true;
    if (connections.users === 0) connections.agent.destroy();
  }

  #connections() {
    if (this.#agent !== undefined && performance.now() - this.#agent.madeAt > CONNECTIONS_AGE_MS_MAX) this.drop();
    const Agent = this.#base.protocol === 'https:' ? HttpsAgent : HttpAgent;
    this.#agent ??= { agent: new Agent({ keepAlive: true }), madeAt: performance.now(), users: 0, retired: false };
    return this.#agent;
  }

  #send(
    agent: HttpAgent,
    method: string,
    path: string,
    headers: Record<string, string>,
    body: Uint8Array | undefined,
  ): Promise<UpstreamAnswer> {
    const send = this.#base.protocol === 'https:' ? httpsRequest : httpRequest;
    const signal = AbortSignal.any([this.#stop, AbortSignal.timeout(this.#answerMsMax)]);
    return new Promise((resolve, reject) => {
      let reached = false;
      const fail = (error: NodeJS.ErrnoException) => {
        const isLate = signal.aborted && !this.#stop.aborted;
        const reason = isLate ? `no answer within ${this.#answerMsMax} ms` : (error.code ?? error.message);
        reject(new NoAnswerError(reason, reached));
      };
      const length = body === undefined ? {} : { 'content-length': String(body.length) };
      const request = send(new URL(path, this.#base), { method, agent, signal, headers: { ...headers, ...length } });
      request.on('error', fail);
      request.on('socket', (socket) => {
        // A reused connection is connected already.
        if (socket.connecting) socket.once('connect', () => (reached = true));
        else reached = true;
      });
      request.on('response', (response) => {
        const parts: Buffer[] = [];
        let size = 0;
        response.on('data', (part: Buffer) => {
          size += part.length;
          if (size <= ANSWER_BYTES_MAX) parts.push(part);
          else request.destroy(new Error('the answer is too long to be one of a gateway'));
        });
        response.on('error', fail);
        response.on('end', () => {
          const { statusCode: status = 0, headers } = response;
          if (!response.complete) fail(new Error('the answer was cut off'));
          else resolve({ status, headers, body: Buffer.concat(parts) });
        });
      });
      request.end(body);
    });
  }
}
