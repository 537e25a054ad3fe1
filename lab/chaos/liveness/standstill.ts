/** How long each of many things has been in one place. */
export class Standstill {
  readonly #places = new Map<string, { place: string | number; since: number }>();

  /**
   * @param place undefined when the thing has nowhere to go
   * @returns since when it has been there; undefined when it has nowhere to go
   */
  note(name: string, place: string | number | undefined, now: number): number | undefined {
    if (place === undefined) {
      this.#places.delete(name);
      return undefined;
    }
    const known = this.#places.get(name);
    if (known?.place === place) return known.since;
    this.#places.set(name, { place, since: now });
    return now;
  }
}
