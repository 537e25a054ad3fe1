import type { BatchQuery, NewOrder, Outcome, Settlement, SpoolCounts, SpooledBatch, SpooledOrder } from './order.ts';
import type { Shelf, ShelfChanges } from './ticket-shelf.ts';

/** Messages from the agent's main thread to the spool's thread. Each question gets one answer, in the order of the questions. */
export interface SpoolCalls {
  commit(work: PackedCommit): CommitAnswer;
  batch(query: BatchQuery): SpooledBatch;
  prune(): number;
  find(orderId: string): SpooledOrder | undefined;
  counts(): SpoolCounts;
  probe(): void;
  reached(region: string): void;
  keepTickets(changes: ShelfChanges): void;
  tickets(unsentMax: number): Shelf;
  close(): void;
}

/** Orders and settlements of one group commit. The values of all orders stand behind each other in one buffer, which is transferred. */
export interface PackedCommit {
  orders: Omit<NewOrder, 'value'>[];
  values: Uint8Array<ArrayBuffer>;
  /** Where the value of each order ends. */
  ends: number[];
  settlements: Settlement[];
}

/** An answer always means that the settlements are kept. */
export interface CommitAnswer {
  /** One per order; empty when the spool is full. */
  outcomes: Outcome[];
  full: string | null;
}

export interface Question<Name extends keyof SpoolCalls = keyof SpoolCalls> {
  id: number;
  name: Name;
  argument: Parameters<SpoolCalls[Name]>[0];
}

export type Answer =
  | { id: number; value: unknown }
  | { id: number; error: { message: string; isDiskFull: boolean } }
  /** Sent without a question: the file was damaged and has been replaced by a new file. */
  | { salvaged: string };

export function packCommit(orders: readonly NewOrder[], settlements: Settlement[]): PackedCommit {
  let size = 0;
  const ends = orders.map(({ value }) => {
    size += value.length;
    return size;
  });
  const values = new Uint8Array(size);
  let at = 0;
  for (const { value } of orders) {
    values.set(value, at);
    at += value.length;
  }
  return { orders: orders.map(({ value: _, ...order }) => order), values, ends, settlements };
}

export function unpackOrders({ orders, values, ends }: PackedCommit): NewOrder[] {
  return orders.map((order, index) => ({
    ...order,
    value: values.subarray(index === 0 ? 0 : ends[index - 1], ends[index]),
  }));
}
