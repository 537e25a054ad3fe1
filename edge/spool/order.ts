// The types of orders, batches and answers in the spool. Used by the spool, the forwarder and the status.

/** The region's answer about an order. Numbers, because they are the values of a column. */
export const states = { unsent: 0, confirmed: 1, refused: 2 } as const;
export type StateName = keyof typeof states;

/** Which orders are sent first: those whose guests wait in the restaurant, then others, then orders that are sent again. */
export const lanes = { urgent: 0, normal: 1 } as const;

/** An order that is to be written to disk. */
export interface NewOrder {
  orderId: string;
  storeId: string;
  lane: number;
  /** Fingerprint of the order: the same orderId with another fingerprint is a conflict. */
  content: string;
  /** The client's bytes. */
  value: Uint8Array;
  /** By the wall clock, in milliseconds since 1970: for people only; no decision depends on it. */
  acceptedAt: number;
}

/** What became of a new order: it was written to disk, it was there already, or its orderId belongs to another order. */
export type Outcome = 'kept' | 'known' | 'conflict';

/** The region's answer about an order: it has the order, or refuses it with a problem that a repeat would not change. */
export interface Settlement {
  sequence: number;
  region: string;
  problem?: string;
}

/** Orders to be sent, oldest first within their lane, as the body of a batch. The lists run in parallel. */
export interface SpooledBatch {
  sequences: number[];
  orderIds: string[];
  /** For each order, where a later batch continues to read. */
  lanes: number[];
  /** One order per line. */
  body: Uint8Array;
}

export interface BatchQuery {
  ordersMax: number;
  bytesMax: number;
  /** The last sequence taken of each lane. */
  after: readonly [lane: number, sequence: number][];
  /** Orders to leave out: they are tried alone later. */
  except: readonly number[];
  /** This order alone, if it is unsent. */
  only?: number | undefined;
  /** The region that the agent reaches now. Orders that another region has confirmed are sent again. Absent until a region was reached. */
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
  /** Those of them that another region than the current one has confirmed: they are sent again. */
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
