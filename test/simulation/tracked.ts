import type { Order } from './orders.ts';

/** What the store knows of a message that was parked. */
export type LetterState = 'parked' | 'replayed' | 'discarded';

/** A message and what has become of it, as the world knows it. */
export interface Tracked {
  readonly order: Order;
  /** Its place among the messages of its key. */
  readonly index: number;
  decoded: boolean;
  prepared: boolean;
  deadLetters: number;
  /** How many threads died while it was at work. */
  deaths: number;
  /** How many of these died while nothing else was at work. */
  deathsAlone: number;
  /** Undefined for a message that is not recorded as a dead letter. */
  letter: LetterState | undefined;
  /** A replay has it in its hands. */
  handedOut: boolean;
  /** The store knows of its dead letter that the effects are written. */
  applied: boolean;
  /** What an operator put in the place of its value. */
  edited: string | undefined;
  /** The frontier may pass it. */
  through: boolean;
}

export function track(order: Order, index: number): Tracked {
  return {
    order,
    index,
    decoded: false,
    prepared: false,
    deadLetters: 0,
    deaths: 0,
    deathsAlone: 0,
    letter: undefined,
    handedOut: false,
    applied: false,
    edited: undefined,
    through: false,
  };
}

/** All messages of a key, in order. */
export interface TrackedKey {
  messages: Tracked[];
  /** How many of the first of them are final: applied or discarded, not merely parked. */
  final: number;
  /** From this offset on the key is parked, as the store knows it. */
  parkedFrom: number | undefined;
  /** All that it ever was parked from: an owner of before may not know the newest. */
  readonly parkedFroms: Set<number>;
  /** The newest message with an output in the log, and the newest with a dead letter. */
  outputIndex: number;
  deadLetterIndex: number;
}

export function trackKey(): TrackedKey {
  return {
    messages: [],
    final: 0,
    parkedFrom: undefined,
    parkedFroms: new Set(),
    outputIndex: -1,
    deadLetterIndex: -1,
  };
}

export interface TrackedPartition {
  messages: Tracked[];
  byOffset: Map<number, Tracked>;
  /** How many of the first of them are through. */
  through: number;
  end: number;
  committed: number;
  /** A commit that was overtaken may set the position back; what follows is delivered again. */
  committedMax: number;
  /** When it last moved or had nothing to do, and where it was then: watched once everything works again. */
  movedAt: number;
  movedTo: number;
}

/** The message's bytes. */
export function bytesOf({ id, nature }: Order): string {
  return JSON.stringify({ id, nature });
}

export function nameOf({ id, key, partition, offset }: Order): string {
  return `${partition}/${offset} (${id} of ${key})`;
}
