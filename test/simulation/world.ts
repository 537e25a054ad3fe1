import type { Timers } from '../../runtime/timers.ts';
import type { Random } from './random.ts';

interface Event {
  at: number;
  order: number;
  act: () => void;
  /** The body whose code runs; undefined for the world's own code (brokers, databases, faults), which is never stopped. */
  body: Body | undefined;
}

/** Virtual time in milliseconds, and the queue of events. */
export class World {
  readonly random: Random;
  readonly #events: Event[] = [];
  readonly #listen: (line: string) => void;
  #now = 0;
  #order = 0;

  /** @param listen gets the trace, line by line */
  constructor(random: Random, listen: (line: string) => void) {
    this.random = random;
    this.#listen = listen;
  }

  get now(): number {
    return this.#now;
  }

  log(who: string, what: string): void {
    this.#listen(`${this.#now.toFixed(3)} ${who} ${what}`);
  }

  /** @returns a function that cancels it */
  schedule(delayMs: number, act: () => void, body?: Body): () => void {
    return this.scheduleAt(this.#now + delayMs, act, body);
  }

  scheduleAt(at: number, act: () => void, body?: Body): () => void {
    const event: Event = { at, order: this.#order++, act, body };
    this.#push(event);
    return () => {
      event.act = () => {};
    };
  }

  /** An event that was due while its body was stopped happens now. */
  repeat(event: Event): void {
    event.at = this.#now;
    event.order = this.#order++;
    this.#push(event);
  }

  #push(event: Event): void {
    const events = this.#events;
    let at = events.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = events[parent] as Event;
      if (!isBefore(event, above)) break;
      events[at] = above;
      at = parent;
    }
    events[at] = event;
  }

  /** Runs one event after the other, each with all promises that follow from it, until `done` returns true or `untilMs` is reached. */
  async run(done: () => boolean, untilMs: number): Promise<void> {
    while (!done()) {
      const next = this.#events[0];
      if (next === undefined || next.at > untilMs) {
        this.#now = untilMs;
        return;
      }
      const event = this.#pop(next);
      this.#now = Math.max(this.#now, event.at);
      if (event.body === undefined) event.act();
      else if (event.body.execute(event)) await settled();
    }
  }

  #pop(first: Event): Event {
    const events = this.#events;
    const last = events.pop();
    if (last === undefined || events.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= events.length) break;
      if (below + 1 < events.length && isBefore(events[below + 1] as Event, events[below] as Event)) below++;
      const child = events[below] as Event;
      if (!isBefore(child, last)) break;
      events[at] = child;
      at = below;
    }
    events[at] = last;
    return first;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** When an immediate runs, all promises that were ready have run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A timer sometimes fires late, never early. */
const TIMER_LATE_MS_MAX = 1;
const SOON_MS_MAX = 0.05;

/**
 * A process or a thread: its code runs only while it lives and is not stopped. Events of a stopped body wait until it goes on, as with
 * SIGSTOP; events of a dead body are dropped.
 */
export class Body implements Timers {
  readonly name: string;
  readonly world: World;
  readonly #parent: Body | undefined;
  readonly #children: Body[] = [];
  #alive = true;
  #stopped = false;
  readonly #waiting: Event[] = [];
  #mourners: (() => void)[] = [];

  constructor(world: World, name: string, parent?: Body) {
    this.world = world;
    this.name = name;
    this.#parent = parent;
    if (parent !== undefined) parent.#children.push(this);
  }

  get alive(): boolean {
    return this.#alive && (this.#parent === undefined || this.#parent.alive);
  }

  get stopped(): boolean {
    return this.#stopped || this.#parent?.stopped === true;
  }

  now = (): number => this.world.now;

  after(delayMs: number, act: () => void): () => void {
    return this.world.schedule(delayMs + this.world.random.next() * TIMER_LATE_MS_MAX, act, this);
  }

  soon(act: () => void): void {
    this.world.schedule(this.world.random.next() * SOON_MS_MAX, act, this);
  }

  /** @returns whether it ran */
  execute(event: Event): boolean {
    if (!this.alive) return false;
    if (this.stopped) {
      this.#waiting.push(event);
      return false;
    }
    event.act();
    return true;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Events that came meanwhile happen now, in their order. */
  goOn(): void {
    this.#stopped = false;
    this.#wake();
  }

  #wake(): void {
    if (this.stopped) return;
    for (const event of this.#waiting.splice(0)) this.world.repeat(event);
    for (const child of this.#children) child.#wake();
  }

  die(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const child of this.#children) child.die();
    for (const mourn of this.#mourners.splice(0)) mourn();
  }

  /**
   * Registers a callback for its death: for example, its connections are then found to be closed.
   * @returns a function that removes the callback
   */
  onDeath(mourn: () => void): () => void {
    this.#mourners.push(mourn);
    return () => {
      this.#mourners = this.#mourners.filter((other) => other !== mourn);
    };
  }
}
