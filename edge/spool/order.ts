/** What the region has said of an order. Numbers, because they are the values of a column. */
export const states = { unsent: 0, confirmed: 1, refused: 2 } as const;
export type StateName = keyof typeof states;

/** Which orders go first: those whose guests wait in the restaurant, then others. What is sent again comes last. */
export const lanes = { urgent: 0, normal: 1 } as const;

/** An order that is to be written to disk. */
export interface NewOrder {
  orderId: string;
  storeId: string;
  lane: number;
  /** Fingerprint of the order: the same orderId with another one is a conflict. */
  content: string;
  /** The client's bytes. */
  value: Uint8Array;
  /** By the wall clock, in milliseconds since the epoch: for people only, nothing is decided by it. */
  acceptedAt: number;
}

/** What became of a new order: it is on the disk, it was already, or its orderId is that of another order. */
export type Outcome = 'kept' | 'known' | 'conflict';

/** The region's answer for an order: it has it, or it refuses it with a problem that a repeat would not change. */
export interface Settlement {
  sequence: number;
  region: string;
  problem?: string;
}

/** Orders to be sent, oldest first within their lane, as the body of a batch. The lists run in parallel. */
export interface SpooledBatch {
  sequences: number[];
  orderIds: string[];
  /** Of each: where a later batch goes on reading. */
  lanes: number[];
  /** One order a line. */
  body: Uint8Array;
}

export interface BatchQuery {
  ordersMax: number;
  bytesMax: number;
  /** The last sequence taken of each lane. */
  after: readonly [lane: number, sequence: number][];
  /** Left out: orders whose turn is later. */
  except: readonly number[];
  /** This order alone, if it is unsent. */
  only?: number | undefined;
  /** Region that the agent reaches now; what another one has confirmed is sent again. Absent while none was reached. */
  region?: string | undefined;
}

/** An order as the spool knows it, for people and for the store's own display. */
export interface SpooledOrder {
  sequence: number;
  orderId: string;
  storeId: string;
  state: StateName;
  acceptedAt: number;
  /** Region that has it, or refused it. */
  region: string | null;
  problem: string | null;
  value: Uint8Array;
}

export interface SpoolCounts {
  /** Orders that no region has. */
  unsent: number;
  /** Orders that the region refused for good; they stay until an operator retries or discards them. */
  refused: number;
  /** Orders that a region has, kept for the replay window. */
  confirmed: number;
  /** Of these, confirmed by another region than the current one: to be sent again. */
  replaying: number;
  /** Bytes of the spool in use, and its quota. */
  bytes: number;
  bytesMax: number;
  /** Free bytes of its disk. */
  diskFree: number;
  /** When the oldest unsent order was accepted, by the wall clock; `null` if there is none. */
  oldestUnsentAt: number | null;
  /** Why new orders are refused; `null` while they are taken. */
  full: string | null;
  /** What was saved from a damaged file and what was not; `null` when no file was damaged. */
  damage: string | null;
  /** Whether the damage may have lost orders, and no operator has acknowledged that yet. */
  lossOpen: boolean;
  /** Region that answered last. */
  region: string | null;
}
