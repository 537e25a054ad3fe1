// The agent's connection to the region's kitchen display. Created by kitchen.ts.

import { Backoff } from '../../contracts/backoff.ts';
import { type Secret, secretText } from '../../contracts/config/secret.ts';
import type { Command, ServerMessage } from '../../display/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { StateLog } from '../../telemetry/state-log.ts';
import { RegionFrames } from '../region-frames.ts';

/** The region's display sends a message every three seconds; a connection that is silent for longer than this is dead. */
const SILENCE_MS_MAX = 10_000;
const ANSWER_MS_MAX = 10_000;
const BACKOFF = { firstMs: 250, mostMs: 5_000, jitter: 0.5 };

/** The region's answer to a command of the crew. */
export type Verdict = 'done' | 'declined' | 'unknown';

export interface RegionDisplayOptions {
  /** Base URL of the region's display. */
  url: string;
  storeId: string;
  /** The agent's token of a screen; absent where the region's display is open. */
  token?: Secret | undefined;
  onMessage(message: ServerMessage): void;
  onDown(): void;
  logger: Logger;
}

/** Connects to the region's kitchen display as a screen does, and reads its messages for the agent. Reconnects by itself. */
export class RegionDisplay {
  readonly #options: RegionDisplayOptions;
  readonly #frames: RegionFrames<ServerMessage>;
  readonly #states: StateLog;
  readonly #backoff = new Backoff(BACKOFF);
  readonly #waiting = new Map<number, (verdict: Verdict) => void>();
  #socket: WebSocket | undefined;
  #silence: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #nextId = 1;
  #closed = false;

  constructor(options: RegionDisplayOptions) {
    this.#options = options;
    this.#frames = new RegionFrames("the region's kitchen display", options.logger);
    this.#states = new StateLog(options.logger);
    this.#connect();
  }

  /** `unknown` when no answer came: then the region's next message about the ticket tells. */
  command(command: Omit<Command, 'id'>): Promise<Verdict> {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.resolve('unknown');
    const id = this.#nextId;
    this.#nextId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer(id, 'unknown'), ANSWER_MS_MAX);
      this.#waiting.set(id, (verdict) => {
        clearTimeout(timer);
        resolve(verdict);
      });
      socket.send(JSON.stringify({ id, ...command }));
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#again);
    this.#lost(this.#socket);
  }

  #connect(): void {
    const { url, storeId } = this.#options;
    let headers: Record<string, string>;
    try {
      headers = this.#headers();
    } catch (error) {
      this.#failed((error as Error).message);
      return;
    }
    const live = new URL(`/live?store=${encodeURIComponent(storeId)}`, url);
    live.protocol = live.protocol === 'https:' ? 'wss:' : 'ws:';
    // Node's WebSocket takes headers, which the type of browsers does not know.
    const socket = new WebSocket(live, { headers } as never);
    this.#socket = socket;
    this.#hear(socket);
    // A close follows each error.
    socket.addEventListener('error', () => {});
    let isOpen = false;
    socket.addEventListener('open', () => {
      isOpen = true;
    });
    socket.addEventListener('close', ({ code, reason }) => {
      const why = reason === '' ? `the connection was closed (${code})` : reason;
      if (isOpen || socket !== this.#socket) return this.#lost(socket, why);
      // A WebSocket does not say with which answer it was refused.
      void refusalOf(new URL('/v1/screens/me', url), headers).then((refusal) => this.#lost(socket, refusal ?? why));
    });
    socket.addEventListener('message', ({ data }) => {
      if (socket !== this.#socket) return;
      this.#hear(socket);
      if (!this.#frames.use(String(data), (message) => this.#receive(message))) {
        this.#lost(socket);
        return;
      }
      this.#backoff.reset();
      this.#states.end('lost', "the region's kitchen display is seen again");
    });
  }

  #receive(message: ServerMessage): void {
    if (message.type === 'done') this.#answer(message.id, 'done');
    else if (message.type === 'error' && message.id !== null)
      this.#answer(message.id, message.problem.status < 500 && message.problem.status !== 429 ? 'declined' : 'unknown');
    else this.#options.onMessage(message);
  }

  #answer(id: number, verdict: Verdict): void {
    this.#waiting.get(id)?.(verdict);
    this.#waiting.delete(id);
  }

  #hear(socket: WebSocket): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(
      () => this.#lost(socket, `it has said nothing for ${SILENCE_MS_MAX} ms`),
      SILENCE_MS_MAX,
    );
  }

  /** @param reason absent when the reason is logged already */
  #lost(socket: WebSocket | undefined, reason?: string): void {
    if (socket === undefined || socket !== this.#socket) return;
    this.#socket = undefined;
    clearTimeout(this.#silence);
    socket.close();
    for (const id of [...this.#waiting.keys()]) this.#answer(id, 'unknown');
    this.#options.onDown();
    if (reason !== undefined) this.#failed(reason);
    else if (!this.#closed) this.#again = setTimeout(() => this.#connect(), this.#backoff.next());
  }

  #failed(reason: string): void {
    if (this.#closed) return;
    this.#states.begin('lost', "the region's kitchen display is not seen; trying again", { reason });
    this.#again = setTimeout(() => this.#connect(), this.#backoff.next());
  }

  #headers(): Record<string, string> {
    const { token } = this.#options;
    return token === undefined ? {} : { authorization: `Bearer ${secretText(token)}` };
  }
}

/** Why the region's display refuses the agent as a screen; `undefined` if that is not the reason. */
async function refusalOf(url: URL, headers: Record<string, string>): Promise<string | undefined> {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    const { access } = (await response.json()) as { access?: string };
    if (access !== 'unpaired' && access !== 'waiting') return undefined;
    return headers.authorization === undefined
      ? 'it asks for a token; set ORDERMESH_EDGE_KITCHEN_TOKEN_FILE to what `ordermesh display token --store ID` made'
      : 'it does not accept the token of ORDERMESH_EDGE_KITCHEN_TOKEN: it was revoked, or has expired';
  } catch {
    // The display does not answer at all, which the reason of the socket says.
    return undefined;
  }
}
