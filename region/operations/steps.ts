/** Runs the steps of a command; after each step, says how long it took. */
export class Steps {
  readonly tookMs: Record<string, number> = {};
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  async do<T>(name: string, work: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    const result = await work();
    const ms = Math.round(performance.now() - begun);
    this.tookMs[name] = ms;
    this.#say(`${name} (${ms} ms)`);
    return result;
  }
}
