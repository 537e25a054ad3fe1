/** What is down now, by who noticed it and what it is. The host's parts write to it; readiness and the outage metrics read it. */
export class OutageBoard {
  readonly #outages = new Map<string, { reason: string; since: number }>();

  /** @returns whether the outage is new */
  note(who: string, dependency: string, reason: string, since: number): boolean {
    const key = `${who}/${dependency}`;
    const known = this.#outages.has(key);
    this.#outages.set(key, { reason, since });
    return !known;
  }

  clear(who: string, dependency?: string): void {
    for (const key of [...this.#outages.keys()])
      if (dependency === undefined ? key.startsWith(`${who}/`) : key === `${who}/${dependency}`)
        this.#outages.delete(key);
  }

  has(who: string): boolean {
    return [...this.#outages.keys()].some((key) => key.startsWith(`${who}/`));
  }

  get size(): number {
    return this.#outages.size;
  }

  /** For readiness: one line, or undefined when nothing is down. */
  get summary(): string | undefined {
    if (this.#outages.size === 0) return undefined;
    return [...this.#outages].map(([key, { reason }]) => `${key} is down (${reason})`).join('; ');
  }

  entries(): { what: string; reason: string; since: string }[] {
    return [...this.#outages].map(([what, { reason, since }]) => ({
      what,
      reason,
      since: new Date(since).toISOString(),
    }));
  }
}
