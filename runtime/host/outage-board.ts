import type { OutageStops } from '../wire/slot-protocol.ts';

/** What messages an outage stops, in the words of logs and readiness. */
export const outageEffects: Readonly<Record<OutageStops, string>> = {
  all: 'partitions pause until it is over',
  some: 'messages that need it wait, the others go on',
  one: 'one message has met it, the next ones are still tried',
};

/** What is down now, by who noticed it and what it is. The host's parts write to it; readiness and the outage metrics read it. */
export class OutageBoard {
  readonly #outages = new Map<string, { reason: string; since: number; stops: OutageStops }>();

  /** @returns whether the outage is new */
  note(who: string, dependency: string, reason: string, since: number, stops: OutageStops = 'all'): boolean {
    const key = `${who}/${dependency}`;
    const known = this.#outages.has(key);
    this.#outages.set(key, { reason, since, stops });
    return !known;
  }

  clear(who: string, dependency?: string): void {
    for (const key of [...this.#outages.keys()])
      if (dependency === undefined ? key.startsWith(`${who}/`) : key === `${who}/${dependency}`)
        this.#outages.delete(key);
  }

  /** Whether all messages of `who` wait. */
  stopsAll(who: string): boolean {
    return [...this.#outages].some(([key, { stops }]) => key.startsWith(`${who}/`) && stops === 'all');
  }

  get size(): number {
    return this.#outages.size;
  }

  /** For readiness: one line, or undefined when nothing is down. */
  get summary(): string | undefined {
    if (this.#outages.size === 0) return undefined;
    return [...this.#outages]
      .map(
        ([key, { reason, stops }]) => `${key} is down (${reason})${stops === 'some' ? `: ${outageEffects.some}` : ''}`,
      )
      .join('; ');
  }

  entries(): { what: string; reason: string; since: string }[] {
    return [...this.#outages].map(([what, { reason, since }]) => ({
      what,
      reason,
      since: new Date(since).toISOString(),
    }));
  }
}
