import type { Timers } from '../../runtime/timers.ts';
import type { Random } from './random.ts';

interface Event {
  at: number;
  order: number;
  act: () => void;
  /** Whose code runs; undefined for the world's own (brokers, databases, faults), which is never stopped. */
  body: Body | undefined;
}

/** Virtual time in milliseconds, and everything that is going to happen in it. */
export class World {
  readonly random: Random;
  readonly #events: Event[] = [];
  readonly #listen: (line: string) => void;
  #now = 0;
  #order = 0;

  /** @param listen is given the trace, line by line. */
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

  /** @returns what cancels it. */
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

  /** An event whose time came while its body was stopped happens now. */
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

  /** One event after the other, each with all promises that follow from it, until `done` says so or `untilMs` is reached. */
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

/** All promises that are ready have run out when an immediate runs. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A timer fires late now and then, never early. */
const TIMER_LATE_MS_MAX = 1;
const SOON_MS_MAX = 0.05;

/**
 * A process or a thread: code runs in it only while it lives and is not stopped. Whatever would wake a stopped one waits until it goes on, as
 * with SIGSTOP; whatever would wake a dead one is dropped.
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

  /** @returns whether it ran. */
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

  /** What came meanwhile happens now, in its order. */
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

  /** Called when it dies; its connections, say, are found to be closed. @returns what takes it back. */
  onDeath(mourn: () => void): () => void {
    this.#mourners.push(mourn);
    return () => {
      this.#mourners = this.#mourners.filter((other) => other !== mourn);
    };
  }
}
