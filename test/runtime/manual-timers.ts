import type { Timers } from '../../runtime/timers.ts';

/** Time that moves only when the test says so. */
export class ManualTimers implements Timers {
  #now = 0;
  #order = 0;
  #due: { at: number; order: number; act: () => void }[] = [];

  /** By how much the clock was set back. */
  setBackMs = 0;

  now = (): number => this.#now - this.setBackMs;

  after(delayMs: number, act: () => void): () => void {
    const entry = { at: this.#now + delayMs, order: this.#order++, act };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((other) => other !== entry);
    };
  }

  soon(act: () => void): void {
    this.after(0, act);
  }

  /** Runs the next timer, and the promises that follow from it. @returns false when there is none. */
  async step(): Promise<boolean> {
    await settle();
    const [next] = this.#due.sort((a, b) => a.at - b.at || a.order - b.order);
    if (next === undefined) return false;
    this.#due = this.#due.filter((other) => other !== next);
    this.#now = Math.max(this.#now, next.at);
    next.act();
    await settle();
    return true;
  }

  /** Advances time by `ms`, and runs every timer that is due. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    while (this.#due.some(({ at }) => at <= end)) await this.step();
    this.#now = end;
  }

  /** The clock advances and no timer runs, as when the process was stopped. */
  jump(ms: number): void {
    this.#now += ms;
  }

  /** Runs timers until none is left, or `steps` of them. */
  async run(steps = 100_000): Promise<void> {
    for (let step = 0; step < steps && (await this.step()); step++);
  }
}

/** Lets all promises that are ready run. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
