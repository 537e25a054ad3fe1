import { type RegionState, writeRegionState } from '../../region/region-state.ts';
import type { RegionAddresses } from '../../region/regions.ts';
import { QUESTION_MS_MAX, within } from './within.ts';

type NextState = Omit<RegionState, 'epoch' | 'since' | 'tenure'> & { tenure?: number };

/** Tells both clusters who is active, an epoch for each change. A region follows both, and of what they say the highest epoch holds. */
export class Epochs {
  readonly #to: RegionAddresses;
  readonly #from: RegionAddresses | undefined;
  readonly #say: (line: string) => void;
  #state: RegionState;

  /** @param options `from`: absent when it does not answer */
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

  /** The newest one that was written. */
  get state(): RegionState {
    return this.#state;
  }

  /** For the fence. @throws unless both clusters know it */
  async enterBoth(next: NextState): Promise<void> {
    const [failure] = (await this.#write(next)).values();
    if (failure !== undefined) throw failure;
  }

  /** @throws unless the cluster that takes over knows it; the other one is fenced already, and learns it from there */
  async enter(next: NextState): Promise<void> {
    const before = this.#state;
    const failures = await this.#write(next);
    const failure = failures.get(this.#to.name);
    if (failure !== undefined) {
      this.#state = { ...before, epoch: this.#state.epoch };
      throw failure;
    }
    for (const [name, { message }] of failures)
      this.#say(`${name} could not be told (${message}); it learns it from ${this.#to.name} when it reaches that`);
  }

  /** Makes the old region the active one again. Never rejects: it must not hide why. @returns what came of it, for people */
  async takeBack(next: NextState): Promise<string> {
    const failures = await this.#write(next);
    const untold = [...failures].map(([name, { message }]) => `${name} could not be told (${message})`).join(', ');
    if (untold === '') return `${next.active} is active again`;
    return failures.size === 1 && this.#from !== undefined
      ? `${next.active} is active again, but ${untold}: look at \`ordermesh region status\``
      : `no region is active, for ${untold}: start the command again`;
  }

  /** @returns why which cluster does not know it */
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
      told.map(({ name, brokers }) =>
        within(QUESTION_MS_MAX, `Kafka of ${name}`, writeRegionState(brokers, state)).catch((error: Error) => {
          failures.set(name, error);
        }),
      ),
    );
    return failures;
  }
}
