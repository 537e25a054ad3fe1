import { type RegionState, writeRegionState } from '../region-state.ts';
import type { RegionAddresses } from '../regions.ts';
import { QUESTION_MS_MAX, within } from './within.ts';

type NextState = Omit<RegionState, 'epoch' | 'since' | 'tenure'> & { tenure?: number };

/** Writes into both clusters which region is active; each change has a new epoch. A region reads both clusters and obeys the highest epoch. */
export class Epochs {
  readonly #to: RegionAddresses;
  readonly #from: RegionAddresses | undefined;
  readonly #say: (line: string) => void;
  #state: RegionState;

  /** @param options `from`: absent when the old region does not answer */
  constructor(options: {
    to: RegionAddresses;
    from: RegionAddresses | undefined;
    state: RegionState;
    say(line: string): void;
  }) {
    this.#to = options.to;
    this.#from = options.from;
    this.#state = options.state;
    this.#say = options.say;
  }

  /** The newest state that was written. */
  get state(): RegionState {
    return this.#state;
  }

  /** For the fence. @throws unless both clusters have taken the new state */
  async enterBoth(next: NextState): Promise<void> {
    const [failure] = (await this.#write(next)).values();
    if (failure !== undefined) throw failure;
  }

  /** @throws unless the cluster that takes over has taken the new state. The old region is fenced already, and reads the state there. */
  async enter(next: NextState): Promise<void> {
    const before = this.#state;
    const failures = await this.#write(next);
    const failure = failures.get(this.#to.name);
    if (failure !== undefined) {
      this.#state = { ...before, epoch: this.#state.epoch };
      throw failure;
    }
    for (const [name, { message }] of failures)
      this.#say(
        `${name} could not be told (${message}); it reads the new state in ${this.#to.name} as soon as it reaches that cluster`,
      );
  }

  /** Makes the old region active again. Never rejects, because the error that led here must be the one that is shown. @returns the outcome, for people */
  async takeBack(next: NextState): Promise<string> {
    const failures = await this.#write(next);
    const untold = [...failures].map(([name, { message }]) => `${name} could not be told (${message})`).join(', ');
    if (untold === '') return `${next.active} is active again`;
    return failures.size === 1 && this.#from !== undefined
      ? `${next.active} is active again, but ${untold}: look at \`ordermesh region status\``
      : `no region is active, for ${untold}: start the command again`;
  }

  /** @returns by name of the cluster, why it did not take the new state */
  async #write(next: NextState): Promise<Map<string, Error>> {
    const state = {
      tenure: this.#state.tenure,
      ...next,
      epoch: this.#state.epoch + 1,
      since: new Date().toISOString(),
    };
    this.#state = state;
    const told = [this.#to, ...(this.#from === undefined ? [] : [this.#from])];
    const failures = new Map<string, Error>();
    await Promise.all(
      told.map(({ name, cluster }) =>
        within(QUESTION_MS_MAX, `Kafka of ${name}`, writeRegionState(cluster, state)).catch((error: Error) => {
          failures.set(name, error);
        }),
      ),
    );
    return failures;
  }
}
