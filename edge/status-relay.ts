import type { Stream } from '../gateway/stream.ts';
import type { Logger } from '../telemetry/logger.ts';
import { StateLog } from '../telemetry/state-log.ts';
import { Backoff } from './forwarder/pacing.ts';
import { RegionFrames } from './region-frames.ts';

export interface StatusRelayOptions {
  /** Base URL of the region's gateway. */
  upstream: string;
  token(): Promise<string>;
  /** The agent's open WebSocket connections. */
  streams: ReadonlySet<Stream>;
  logger: Logger;
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
  readonly #frames: RegionFrames<StatusMessage>;
  readonly #states: StateLog;
  readonly #backoff = new Backoff(BACKOFF_MS_MAX, Math.random);
  #socket: WebSocket | undefined;
  #connecting = false;
  #again: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: StatusRelayOptions) {
    this.#options = options;
    this.#frames = new RegionFrames("the region's stream of statuses", options.logger);
    this.#states = new StateLog(options.logger);
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
      const bearer = `bearer.${await token()}`;
      // Closed while the token was read.
      if (this.#closed) return;
      const socket = new WebSocket(url, ['ordermesh.v1.json', bearer]);
      this.#socket = socket;
      // A close follows each error.
      socket.addEventListener('error', () => {});
      socket.addEventListener('open', () => {
        this.#backoff.reset();
        this.#states.end('failed', 'status updates are passed on again');
      });
      socket.addEventListener('message', ({ data }) => this.#receive(socket, String(data)));
      socket.addEventListener('close', () => this.#lost());
    } catch (error) {
      const reason = (error as Error).message;
      this.#states.begin('failed', 'status updates are not passed on; trying again', { reason });
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
    // All streams here are of the store whose token the region knows.
    const isUsed = this.#frames.use(text, (message) => {
      if (message.type === 'order.status') for (const stream of streams) stream.push(message);
    });
    if (!isUsed) socket.close();
  }

  #lost(): void {
    this.#socket = undefined;
    if (!this.#closed) this.#again = setTimeout(() => void this.#connect(), this.#backoff.next());
  }
}
