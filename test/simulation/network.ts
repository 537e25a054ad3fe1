import type { Body, World } from './world.ts';

/** What can go wrong between a client and one server. The fault injector changes it while the simulation runs. */
export interface Weather {
  /** Nothing gets through in either direction. */
  down: boolean;
  /** Share of the calls whose request or answer is lost. */
  loss: number;
  /** Share of the calls that take seconds. */
  stalls: number;
}

const LATENCY_MS = { least: 0.2, most: 3 };
const STALL_MS_MAX = 12_000;
const REFUSED_MS = 5;

/** How a server answers one call: once, now or later. */
export interface Answer<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** Calls with the same lane arrive in the order in which they were made, as on one connection. */
export class Lane {
  arrivesAt = 0;
}

export interface CallOptions {
  lane?: Lane;
  /** A request that was given up may still arrive, after later requests. */
  mayArriveLate?: boolean;
}

/** The connection to one server: requests and answers take time, and may be lost, with or without their effect. */
export class Network {
  readonly weather: Weather = { down: false, loss: 0, stalls: 0 };
  readonly #world: World;
  readonly #unreachable: () => Error;

  constructor(world: World, unreachable: () => Error) {
    this.#world = world;
    this.#unreachable = unreachable;
  }

  call<T>(body: Body, serve: (answer: Answer<T>) => void, options: CallOptions = {}): Promise<T> {
    return new Promise((resolve, reject) => this.send(body, serve, { resolve, reject }, options));
  }

  /** The same without a promise. The answer arrives in an event of its own. */
  send<T>(body: Body, serve: (answer: Answer<T>) => void, caller: Answer<T>, options: CallOptions = {}): void {
    // A thread that dies in the middle of an event does nothing more in the rest of it.
    if (!body.alive) return;
    const { random } = this.#world;
    const fate = random.chance(this.weather.loss) ? random.pick(['request', 'answer', 'late'] as const) : 'delivered';
    const refuse = () => this.#hear(body, REFUSED_MS, () => caller.reject(this.#unreachable()));
    const server: Answer<T> = {
      resolve: (value) => {
        if (fate === 'late') return;
        if (fate === 'answer' || this.weather.down) refuse();
        else this.#hear(body, this.#latencyMs(), () => caller.resolve(value));
      },
      reject: (error) => {
        if (fate !== 'late') this.#hear(body, this.#latencyMs(), () => caller.reject(error));
      },
    };
    const latencyMs = this.#latencyMs();
    if (fate === 'request' || (fate === 'late' && options.mayArriveLate !== true)) {
      this.#world.schedule(latencyMs, refuse);
      return;
    }
    if (fate === 'late') {
      this.#world.schedule(latencyMs, refuse);
      this.#world.schedule(latencyMs + random.next() * STALL_MS_MAX, () => {
        if (!this.weather.down) serve(server);
      });
      return;
    }
    const at = Math.max(this.#world.now + latencyMs, options.lane?.arrivesAt ?? 0);
    if (options.lane !== undefined) options.lane.arrivesAt = at;
    this.#world.scheduleAt(at, () => {
      if (this.weather.down) refuse();
      else serve(server);
    });
  }

  #hear(body: Body, delayMs: number, act: () => void): void {
    this.#world.schedule(delayMs, act, body);
  }

  #latencyMs(): number {
    const { random } = this.#world;
    if (random.chance(this.weather.stalls)) return random.next() * STALL_MS_MAX;
    return LATENCY_MS.least + random.next() * (LATENCY_MS.most - LATENCY_MS.least);
  }
}
