import type { Order } from './orders.ts';

/** What the store knows about a parked message. */
export type LetterState = 'parked' | 'replayed' | 'discarded';

/** A message and what has happened to it. */
export interface Tracked {
  readonly order: Order;
  /** Its index among the messages of its key. */
  readonly index: number;
  decoded: boolean;
  prepared: boolean;
  deadLetters: number;
  /** How many threads died while it was at work. */
  deaths: number;
  /** How many of these died while nothing else was at work. */
  deathsAlone: number;
  /** Undefined for a message without a recorded dead letter. */
  letter: LetterState | undefined;
  /** A replay works on it. */
  handedOut: boolean;
  /** The store has the note that the letter's effects are committed. */
  applied: boolean;
  /** The value that an operator has put in place of its own. */
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
  /** How many messages at the front are final: applied or discarded, not merely parked. */
  final: number;
  /** The key is parked from this offset on, as the store knows it. */
  parkedFrom: number | undefined;
  /** All offsets from which it was ever parked: a former owner may not know the newest. */
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
  /** How many messages at the front are finished. */
  through: number;
  end: number;
  committed: number;
  /** A commit that was overtaken may set the position back; then messages are delivered again. */
  committedMax: number;
  /** When and where it last moved or had nothing to do; watched once everything works again. */
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
