import type { DeadLetterStore } from '../../runtime/slot/engine-ports.ts';
import type { MessageEntry } from '../../runtime/slot/message-entry.ts';
import type { NewDeadLetter } from '../../store/dead-letters/dead-letters.ts';
import type { LoadedKeys, ParkedKey } from '../../store/dead-letters/parked-keys.ts';
import type { FailureStep, OwnedKey, ReplayStep } from '../../store/dead-letters/replays.ts';
import type { Parking } from '../../store/index.ts';
import type { History } from './history.ts';
import type { Answer, Network } from './network.ts';
import type { Tracked } from './tracked.ts';
import type { Body, World } from './world.ts';

/** A bug in the replay, for a mutant. */
export type ReplayFlaw = 'newest-first' | 'early-release' | 'not-held';

export interface Fence {
  isCurrent(partition: number, epoch: number): boolean;
  /** The same as `current`, unless a mutant has removed the fence. */
  holds(partition: number, epoch: number): boolean;
}

interface KeyRow extends ParkedKey {
  replay: number | undefined;
  released: boolean;
  settledOffset: number | undefined;
}

interface Letter {
  tracked: Tracked;
  key: string;
  value: Buffer | null;
  headers: Readonly<Record<string, Buffer>>;
  timestamp: number;
  applied: boolean;
}

/** A parked key, as an operator sees it. */
export interface ListedKey {
  key: string;
  inReplay: boolean;
  letters: Tracked[];
}

export interface ReplayOrder {
  keys: readonly string[];
  ratePerSecond: number | undefined;
  edit: { tracked: Tracked; value: string } | undefined;
}

/**
 * Parked keys, dead letters and the acts of operators, by the rules of the real store's SQL: each call is one transaction, at one instant.
 */
export class ModelDeadLetters {
  readonly #world: World;
  readonly #history: History;
  readonly #network: Network;
  readonly #fence: Fence;
  readonly #flaw: ReplayFlaw | undefined;
  readonly #keys = new Map<string, KeyRow>();
  readonly #letters: Letter[] = [];
  #acts = 0;
  /** Which message has failed in which act. */
  readonly #failures = new Set<string>();
  readonly #paces = new Map<number, { ratePerSecond: number | undefined; nextAt: number }>();

  constructor(world: World, history: History, network: Network, fence: Fence, flaw: ReplayFlaw | undefined) {
    this.#world = world;
    this.#history = history;
    this.#network = network;
    this.#fence = fence;
    this.#flaw = flaw;
  }

  /** Whether no key is in a replay. */
  get idle(): boolean {
    return [...this.#keys.values()].every(({ replay }) => replay === undefined);
  }

  get parkedKeys(): number {
    return [...this.#keys.values()].filter(({ released }) => !released).length;
  }

  load(body: Body, partitions: readonly number[]): Promise<LoadedKeys> {
    return this.#network.call(body, (answer) => {
      const rows = [...this.#keys.values()].filter(({ partition }) => partitions.includes(partition));
      answer.resolve({
        parked: rows.filter(({ released }) => !released).map((row) => ({ ...row })),
        settled: rows.flatMap(({ partition, key, settledOffset }) =>
          settledOffset === undefined ? [] : [{ partition, key, settledOffset }],
        ),
      });
    });
  }

  /** A key that is parked stays as it is; a released key is parked again. */
  park(body: Body, tracked: Tracked, epoch: number, parking: Parking): Promise<boolean> {
    const { partition, key } = tracked.order;
    return this.#fenced(body, { partition, epoch }, false, () => {
      const row = this.#keys.get(key);
      if (row !== undefined && !row.released) return true;
      this.#world.log('store', `parked ${key} from ${parking.firstOffset} on, by ${body.name}`);
      this.#history.parked(tracked, this.#fence.isCurrent(partition, epoch));
      const settledOffset = row?.settledOffset;
      this.#keys.set(key, { partition, key, ...parking, replay: undefined, released: false, settledOffset });
      return true;
    });
  }

  /** The engine's port, for one thread. */
  portOf(body: Body): DeadLetterStore {
    return {
      record: (owned, letter) => this.#record(body, owned, letter),
      due: (partitions) =>
        this.#network.call(body, (answer) =>
          answer.resolve(
            [...this.#keys.values()]
              .filter(({ partition, replay }) => partitions.includes(partition) && replay !== undefined)
              .map(({ partition, key }) => ({ partition, key })),
          ),
        ),
      pace: ({ key }) => this.#network.call(body, (answer) => answer.resolve(this.#pace(key))),
      next: (owned) => this.#fenced<ReplayStep>(body, owned, { kind: 'fenced' }, () => this.#next(body, owned.key)),
      settle: (owned, { offset }) =>
        this.#fenced<ReplayStep>(body, owned, { kind: 'fenced' }, () => this.#settle(body, owned.key, offset)),
      fail: (owned, parking, act) =>
        this.#fenced<FailureStep>(body, owned, 'fenced', () =>
          this.#fail(body, { key: owned.key, offset: parking.firstOffset, act }, parking),
        ),
    };
  }

  /** Whether a replayed message may have effects. The real store holds this until the end of their transaction. */
  mayApply({ key, offset }: MessageEntry): boolean {
    if (this.#flaw === 'not-held') return true;
    const row = this.#keys.get(key);
    return (
      row !== undefined && !row.released && row.replay !== undefined && this.#parkedLetter(key, offset) !== undefined
    );
  }

  /** Called with the effects of a replayed message. */
  markApplied({ key, offset }: MessageEntry): void {
    const letter = this.#parkedLetter(key, offset);
    if (letter === undefined) return;
    letter.applied = true;
    letter.tracked.applied = true;
  }

  list(body: Body): Promise<ListedKey[]> {
    return this.#network.call(body, (answer) =>
      answer.resolve(
        [...this.#keys.values()]
          .filter(({ released }) => !released)
          .map(({ key, replay }) => ({
            key,
            inReplay: replay !== undefined,
            letters: this.#parkedLetters(key).map(({ tracked }) => tracked),
          })),
      ),
    );
  }

  requestReplay(body: Body, { keys, ratePerSecond, edit }: ReplayOrder): Promise<void> {
    return this.#act(body, (act) => {
      this.#paces.set(act, { ratePerSecond, nextAt: this.#world.now });
      if (edit?.tracked.letter === 'parked') this.#history.edited(edit.tracked, edit.value);
      for (const row of this.#free(keys)) {
        this.#world.log('store', `replay ${act} of ${row.key} is asked for`);
        row.replay = act;
      }
    });
  }

  stopReplay(body: Body, keys: readonly string[]): Promise<void> {
    return this.#act(body, () => {
      for (const key of keys) {
        const row = this.#keys.get(key);
        if (row === undefined || row.released || row.replay === undefined) continue;
        this.#world.log('store', `replay of ${key} is stopped`);
        row.replay = undefined;
      }
    });
  }

  discard(body: Body, letters: readonly Tracked[], withApplied: boolean): Promise<void> {
    return this.#act(body, (act) => {
      for (const row of this.#free(new Set(letters.map(({ order }) => order.key)))) {
        const chosen = letters.filter(
          ({ order, letter, applied }) => order.key === row.key && letter === 'parked' && (withApplied || !applied),
        );
        for (const tracked of chosen) this.#history.discarded(tracked);
        if (chosen.length === 0) continue;
        this.#world.log('store', `discarded ${chosen.map(({ order }) => order.offset).join(' ')} of ${row.key}`);
        const oldest = this.#parkedLetters(row.key)[0];
        this.#paces.set(act, { ratePerSecond: undefined, nextAt: this.#world.now });
        row.replay = oldest === undefined ? act : undefined;
        row.settledOffset = oldest === undefined ? this.#newestOf(row.key) : oldest.tracked.order.offset - 1;
      }
    });
  }

  #record(body: Body, owned: OwnedKey, letter: NewDeadLetter): Promise<boolean> {
    const { partition, offset, key, value, headers, timestamp, applied } = letter;
    const tracked = this.#history.at(partition, offset);
    return this.#fenced(body, owned, false, () => {
      if (this.#letters.some((letter) => letter.tracked === tracked)) return true;
      this.#letters.push({ tracked, key, value, headers: { ...headers }, timestamp, applied });
      tracked.applied ||= applied;
      this.#world.log('store', `recorded dead letter ${partition}/${offset} of ${key}`);
      this.#history.recorded(tracked);
      return true;
    });
  }

  #pace(key: string): number {
    const pace = this.#paces.get(this.#keys.get(key)?.replay ?? -1);
    if (pace?.ratePerSecond === undefined) return 0;
    const at = Math.max(pace.nextAt, this.#world.now);
    pace.nextAt = at + 1_000 / pace.ratePerSecond;
    return at - this.#world.now;
  }

  #next(body: Body, key: string): ReplayStep {
    const row = this.#keys.get(key);
    if (row === undefined || row.released) return { kind: 'released', settledOffset: row?.settledOffset ?? -1 };
    if (row.replay === undefined) return { kind: 'idle' };
    const letter = this.#parkedLetters(key).at(this.#flaw === 'newest-first' ? -1 : 0);
    if (letter === undefined) return this.#release(body, row);
    const { tracked, value, headers, timestamp } = letter;
    this.#world.log('store', `hands ${tracked.order.partition}/${tracked.order.offset} to ${body.name} for a replay`);
    this.#history.handedOut(tracked);
    return {
      kind: 'letter',
      act: row.replay,
      letter: {
        partition: row.partition,
        offset: tracked.order.offset,
        key,
        keyBytes: Buffer.from(key),
        value: tracked.edited === undefined ? value : Buffer.from(tracked.edited),
        headers,
        timestamp,
      },
    };
  }

  #settle(body: Body, key: string, offset: number): ReplayStep {
    const row = this.#keys.get(key);
    const letter = this.#letters.find(({ tracked }) => tracked.order.key === key && tracked.order.offset === offset);
    if (letter !== undefined && letter.tracked.letter !== 'replayed') {
      this.#world.log('store', `replayed ${key} ${offset}`);
      this.#history.replayed(letter.tracked);
    }
    if (row === undefined || row.released) return { kind: 'released', settledOffset: row?.settledOffset ?? -1 };
    const left = this.#parkedLetters(key)[0];
    if (left === undefined || this.#flaw === 'early-release') return this.#release(body, row);
    row.settledOffset = left.tracked.order.offset - 1;
    return row.replay === undefined ? { kind: 'idle' } : { kind: 'more', settledOffset: row.settledOffset };
  }

  #fail(body: Body, failed: { key: string; offset: number; act: number }, parking: Parking): FailureStep {
    const { key, offset, act } = failed;
    const row = this.#keys.get(key);
    const letter = this.#parkedLetter(key, offset);
    const known = `${act} ${key} ${offset}`;
    if (row === undefined || letter === undefined) return 'discarded';
    if (this.#failures.has(known)) return 'parked';
    this.#failures.add(known);
    this.#world.log('store', `replay of ${key} ${offset} failed, by ${body.name}`);
    this.#history.failedAgain(letter.tracked);
    Object.assign(row, parking, row.replay === act ? { replay: undefined } : {});
    return 'parked';
  }

  #release(body: Body, row: KeyRow): ReplayStep {
    row.replay = undefined;
    row.released = true;
    row.settledOffset = this.#newestOf(row.key) ?? row.settledOffset ?? row.firstOffset - 1;
    this.#world.log('store', `released ${row.key}, settled up to ${row.settledOffset}, by ${body.name}`);
    this.#history.released(row.key);
    return { kind: 'released', settledOffset: row.settledOffset };
  }

  #parkedLetters(key: string): Letter[] {
    return this.#letters
      .filter(({ tracked }) => tracked.order.key === key && tracked.letter === 'parked')
      .sort((a, b) => a.tracked.order.offset - b.tracked.order.offset);
  }

  #parkedLetter(key: string, offset: number): Letter | undefined {
    return this.#parkedLetters(key).find(({ tracked }) => tracked.order.offset === offset);
  }

  #newestOf(key: string): number | undefined {
    const offsets = this.#letters.filter((letter) => letter.key === key).map(({ tracked }) => tracked.order.offset);
    return offsets.length === 0 ? undefined : Math.max(...offsets);
  }

  #free(keys: Iterable<string>): KeyRow[] {
    return [...keys].flatMap((key) => {
      const row = this.#keys.get(key);
      return row === undefined || row.released || row.replay !== undefined ? [] : [row];
    });
  }

  #act(body: Body, work: (act: number) => void): Promise<void> {
    return this.#network.call(body, (answer) => {
      work(++this.#acts);
      answer.resolve();
    });
  }

  #fenced<T>(body: Body, owner: { partition: number; epoch: number }, stale: T, work: () => T): Promise<T> {
    return this.#network.call(body, (answer: Answer<T>) =>
      answer.resolve(this.#fence.holds(owner.partition, owner.epoch) ? work() : stale),
    );
  }
}
