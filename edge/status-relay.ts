import type { Stream } from '../gateway/stream.ts';
import { Backoff } from './forwarder/pacing.ts';

export interface StatusRelayOptions {
  /** Base URL of the region's gateway. */
  upstream: string;
  token(): Promise<string>;
  /** The agent's open WebSocket connections. */
  streams: ReadonlySet<Stream>;
}

const BACKOFF_MS_MAX = 10_000;

interface StatusMessage {
  type: 'order.status';
  orderId: string;
  status: string;
}

/**
 * Passes the region's status updates on to the points of sale that listen here. A convenience beside the way in, as at the gateway: it is
 * connected only while somebody listens, and tells nothing of what happened while the line was down.
 */
export class StatusRelay {
  readonly #options: StatusRelayOptions;
  readonly #backoff = new Backoff(BACKOFF_MS_MAX, Math.random);
  #socket: WebSocket | undefined;
  #connecting = false;
  #again: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: StatusRelayOptions) {
    this.#options = options;
  }

  /** A stream opened: it gets what happens from now on. */
  opened(): void {
    if (this.#socket === undefined && !this.#connecting && this.#again === undefined) void this.#connect();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#again);
    this.#socket?.close();
  }

  async #connect(): Promise<void> {
    const { upstream, token, streams } = this.#options;
    this.#again = undefined;
    if (this.#closed || streams.size === 0) return;
    this.#connecting = true;
    try {
      const url = new URL('/v1/stream', upstream);
      url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
      const socket = new WebSocket(url, ['ordermesh.v1.json', `bearer.${await token()}`]);
      this.#socket = socket;
      socket.addEventListener('error', () => {});
      socket.addEventListener('open', () => this.#backoff.reset());
      socket.addEventListener('message', ({ data }) => this.#receive(socket, String(data)));
      socket.addEventListener('close', () => this.#lost());
    } catch {
      this.#lost();
    } finally {
      this.#connecting = false;
    }
  }

  #receive(socket: WebSocket, text: string): void {
    const { streams } = this.#options;
    if (streams.size === 0) {
      socket.close();
      return;
    }
    const message = JSON.parse(text) as StatusMessage;
    // All streams here are of the store whose token the region knows.
    if (message.type === 'order.status') for (const stream of streams) stream.push(message);
  }

  #lost(): void {
    this.#socket = undefined;
    if (!this.#closed) this.#again = setTimeout(() => void this.#connect(), this.#backoff.next());
  }
}
