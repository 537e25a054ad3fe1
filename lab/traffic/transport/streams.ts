// Hands orders over on streams with many orders in flight, and opens the streams. Used by transport.ts for WebSocket and gRPC.

import type { Answer, GatewayConnection } from './types.ts';

/** One open stream, or one that is being opened and keeps what is sent until then. */
export interface OrderStream {
  send(id: number, body: string): void;
  close(): void;
}

/** What a stream tells. */
export interface StreamEvents {
  answered(id: number, answer: Answer): void;
  /** An answer to a frame in which the gateway found no id, because the frame is not JSON. */
  unreadable(answer: Answer): void;
  /** Once, when the stream has ended: with an answer for all orders in flight, or with the reason why there is none. */
  ended(outcome: Answer | Error): void;
}

export type OpenStream = (token: string | undefined, events: StreamEvents) => OrderStream;

interface Limits {
  /** Streams of one token. */
  connections: number;
  /** Longest wait for one answer, in milliseconds. */
  timeoutMs: number;
}

interface Waiting {
  body: string;
  resolve(answer: Answer): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** With this many orders in flight on each stream of a token, another stream is opened. */
const OPEN_AT = 16;
/** Below the 256 unanswered orders of one connection at which the gateway refuses, or reads no further. */
const UNANSWERED_MAX = 200;

/** A store's orders go over the store's own streams, because a stream has one token. */
export function connectStreams(open: OpenStream, limits: Limits): GatewayConnection {
  const stores = new Map<string | undefined, StoreStreams>();
  return {
    post(body, token) {
      let store = stores.get(token);
      if (store === undefined) {
        store = new StoreStreams((events) => open(token, events), limits);
        stores.set(token, store);
      }
      return store.post(typeof body === 'string' ? body : Buffer.from(body).toString());
    },
    close() {
      for (const store of stores.values()) store.close();
    },
  };
}

class StoreStreams {
  readonly #open: (events: StreamEvents) => OrderStream;
  readonly #limits: Limits;
  readonly #lanes = new Set<Lane>();
  #queue: Waiting[] = [];

  constructor(open: (events: StreamEvents) => OrderStream, limits: Limits) {
    this.#open = open;
    this.#limits = limits;
  }

  post(body: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { timeoutMs } = this.#limits;
      const timer = setTimeout(() => {
        this.#queue = this.#queue.filter((other) => other !== waiting);
        for (const lane of this.#lanes) lane.forget(waiting);
        reject(new Error(`no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      const waiting: Waiting = { body, resolve, reject, timer };
      const lane = this.#roomiest();
      if (lane === undefined) this.#queue.push(waiting);
      else lane.send(waiting);
    });
  }

  close(): void {
    for (const waiting of this.#queue.splice(0)) fail(waiting, new Error('closed'));
    for (const lane of this.#lanes) lane.close();
  }

  #roomiest(): Lane | undefined {
    let best: Lane | undefined;
    for (const lane of this.#lanes) if (best === undefined || lane.inFlight < best.inFlight) best = lane;
    if ((best === undefined || best.inFlight >= OPEN_AT) && this.#lanes.size < this.#limits.connections) {
      const lane = new Lane(this.#open, {
        hasRoom: () => {
          const next = lane.inFlight < UNANSWERED_MAX ? this.#queue.shift() : undefined;
          if (next !== undefined) lane.send(next);
        },
        ended: () => {
          this.#lanes.delete(lane);
          // What waits is tried on another stream.
          for (const waiting of this.#queue.splice(0)) fail(waiting, new Error('the connection was closed'));
        },
      });
      this.#lanes.add(lane);
      return lane;
    }
    return best !== undefined && best.inFlight < UNANSWERED_MAX ? best : undefined;
  }
}

/** One stream and the orders in flight on it. */
class Lane {
  readonly #stream: OrderStream;
  readonly #inFlight = new Map<number, Waiting>();
  readonly #hasRoom: () => void;
  #nextId = 1;

  constructor(open: (events: StreamEvents) => OrderStream, owner: { hasRoom(): void; ended(): void }) {
    this.#hasRoom = owner.hasRoom;
    this.#stream = open({
      answered: (id, answer) => {
        const waiting = this.#inFlight.get(id);
        // Its time was up.
        if (waiting === undefined) return;
        this.#inFlight.delete(id);
        clearTimeout(waiting.timer);
        waiting.resolve(answer);
        this.#hasRoom();
      },
      unreadable: (answer) => {
        for (const [id, waiting] of this.#inFlight)
          if (!isJson(waiting.body)) {
            this.#inFlight.delete(id);
            clearTimeout(waiting.timer);
            waiting.resolve(answer);
            return;
          }
      },
      ended: (outcome) => {
        owner.ended();
        for (const waiting of this.#inFlight.values()) {
          clearTimeout(waiting.timer);
          if (outcome instanceof Error) waiting.reject(outcome);
          else waiting.resolve(outcome);
        }
        this.#inFlight.clear();
      },
    });
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  send(waiting: Waiting): void {
    const id = this.#nextId++;
    this.#inFlight.set(id, waiting);
    this.#stream.send(id, waiting.body);
  }

  forget(waiting: Waiting): void {
    for (const [id, other] of this.#inFlight)
      if (other === waiting) {
        this.#inFlight.delete(id);
        this.#hasRoom();
      }
  }

  close(): void {
    this.#stream.close();
  }
}

function fail(waiting: Waiting, error: Error): void {
  clearTimeout(waiting.timer);
  waiting.reject(error);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // The question is just this.
    return false;
  }
}
