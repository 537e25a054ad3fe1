// Passes the region's status updates on to points of sale. Created by edge.ts.

import { Backoff } from '../contracts/backoff.ts';
import type { OrderStream } from '../gateway/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import { StateLog } from '../telemetry/state-log.ts';
import { RegionFrames } from './region-frames.ts';

export interface StatusRelayOptions {
  /** Base URL of the region's gateway. */
  upstream: string;
  token(): Promise<string>;
  /** The agent's open WebSocket connections. */
  streams: ReadonlySet<OrderStream>;
  logger: Logger;
  /** Called with each change of the menu, and with `undefined` when a connection opens: changes may have been missed. With it the relay stays connected. */
  onMenu?(message: MenuMessage | undefined): void;
  /** Shorter in tests. */
  askMs?: number;
}

const BACKOFF = { firstMs: 250, mostMs: 10_000, jitter: 0.5 };
/** The region is asked at this interval for a sign of life; after this many unanswered questions the connection counts as lost. */
const ASK_MS = 10_000;
const SILENT_QUESTIONS_MAX = 2;

interface MenuMessage {
  type: 'menu.changed';
  menuVersion?: unknown;
  revision?: unknown;
  unavailable?: unknown;
}

interface StatusMessage {
  type: 'order.status';
  orderId: string;
  status: string;
}

/** The answer to a question, because the question is not a valid submit. Any other error is about the token, and the region then closes the connection. */
interface ErrorMessage {
  type: 'error';
  problem: { code: string; detail: string };
}

/**
 * Sends the region's status updates, and changes of the menu, to the points of sale that are connected to the agent. Best effort, as at the gateway: it is
 * connected only while a stream is open or the agent keeps a menu, and updates from the time of a line failure are not sent later.
 */
export class StatusRelay {
  readonly #options: StatusRelayOptions;
  readonly #frames: RegionFrames<StatusMessage | MenuMessage | ErrorMessage>;
  readonly #states: StateLog;
  readonly #backoff = new Backoff(BACKOFF);
  #socket: WebSocket | undefined;
  #connecting = false;
  #again: NodeJS.Timeout | undefined;
  #asking: NodeJS.Timeout | undefined;
  /** Questions since the last message of the region. */
  #unanswered = 0;
  #closed = false;

  constructor(options: StatusRelayOptions) {
    this.#options = options;
    this.#frames = new RegionFrames("the region's stream of statuses", options.logger);
    this.#states = new StateLog(options.logger);
  }

  /** A stream opened: it gets the updates from now on. */
  opened(): void {
    if (this.#socket === undefined && !this.#connecting && this.#again === undefined) void this.#connect();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#again);
    clearInterval(this.#asking);
    this.#socket?.close();
  }

  get #isWanted(): boolean {
    return this.#options.streams.size > 0 || this.#options.onMenu !== undefined;
  }

  async #connect(): Promise<void> {
    const { upstream, token, onMenu } = this.#options;
    this.#again = undefined;
    if (this.#closed || !this.#isWanted) return;
    this.#connecting = true;
    try {
      const url = new URL('/v1/stream', upstream);
      url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
      const bearer = `bearer.${await token()}`;
      // Closed while the token was read.
      if (this.#closed) return;
      const socket = new WebSocket(url, ['ordermesh.v1.json', bearer]);
      this.#socket = socket;
      socket.addEventListener('open', () => onMenu?.(undefined));
      // A close follows each error.
      socket.addEventListener('error', () => {});
      socket.addEventListener('message', ({ data }) => this.#receive(socket, String(data)));
      socket.addEventListener('close', ({ code, reason }) =>
        this.#lost(socket, reason || 'the connection was closed', code),
      );
      // A connection that died without a close would stay open for ever.
      this.#unanswered = 0;
      this.#asking = setInterval(() => this.#ask(socket), this.#options.askMs ?? ASK_MS);
    } catch (error) {
      this.#lost(undefined, (error as Error).message);
    } finally {
      this.#connecting = false;
    }
  }

  /** Sends an empty message as the question: the gateway answers an invalid submit with an error. */
  #ask(socket: WebSocket): void {
    if (this.#unanswered >= SILENT_QUESTIONS_MAX) {
      this.#lost(socket, `the region has not answered ${SILENT_QUESTIONS_MAX} questions`);
      return;
    }
    this.#unanswered++;
    if (socket.readyState === WebSocket.OPEN) socket.send('{}');
  }

  #receive(socket: WebSocket, text: string): void {
    if (socket !== this.#socket) return;
    const { streams, onMenu } = this.#options;
    if (!this.#isWanted) {
      socket.close();
      return;
    }
    this.#unanswered = 0;
    // All streams of the agent belong to the store of its token.
    const isUsed = this.#frames.use(text, (message) => {
      if (message.type === 'order.status') for (const stream of streams) stream.push(message);
      else if (message.type === 'menu.changed') {
        for (const stream of streams) stream.push(message);
        onMenu?.(message);
      } else if (message.type === 'error' && message.problem.code !== 'malformed-request') {
        this.#lost(socket, `${message.problem.code}: ${message.problem.detail}`);
        return;
      }
      this.#works();
    });
    if (!isUsed) this.#lost(socket, 'the region has sent an invalid message');
  }

  /** Called after the first message: the region also accepts a connection with an expired token, and closes it again. */
  #works(): void {
    this.#backoff.reset();
    this.#states.end('failed', 'status updates are passed on again');
  }

  #lost(socket: WebSocket | undefined, reason: string, code?: number): void {
    // This connection was replaced already.
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    clearInterval(this.#asking);
    socket?.close();
    if (this.#closed) return;
    if (this.#isWanted)
      this.#states.begin('failed', 'status updates are not passed on; trying again', { reason, code });
    this.#again = setTimeout(() => void this.#connect(), this.#backoff.next());
  }
}
