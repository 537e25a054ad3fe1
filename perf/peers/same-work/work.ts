// The work that all competitors do, and the command line that all their programs have. Used by the files of this folder.

/** Order events of `from`, each read, parsed and decided; each makes one record of the same key in `to`. */
export interface Work {
  brokers: string;
  from: string;
  to: string;
  /** The number of records in `from`. No more are added. */
  records: number;
  /** An order is accepted when its total, in minor units, is below this limit. */
  totalLimit: number;
}

/** What a program prints as its last line, as JSON. */
export interface WorkResult {
  records: number;
  /** From the first record that the program has read to the last acknowledgement. */
  seconds: number;
  /** User and system time that the process with all its threads used meanwhile. */
  processorSeconds: number;
  /** Of the library. */
  version: string;
}

/** One event of an order in `from`. */
export interface OrderEvent {
  orderId: string;
  /** Counts the events of one order, from 1. */
  sequence: number;
  storeId: string;
  total: number;
  currency: string;
}

/** The record in `to` that an event causes. */
export interface Decision extends OrderEvent {
  decision: 'accepted' | 'rejected';
}

export const PARTITIONS = 24;

/** How often a program commits its position. Programs that are not in Node, and the runtime by its default, have the same. */
export const COMMIT_MS = 200;

export const argumentsOf = ({ brokers, from, to, records, totalLimit }: Work): string[] =>
  [brokers, from, to, records, totalLimit].map(String);

/** The work that this program was started with: `PROGRAM BROKERS FROM TO RECORDS TOTAL_LIMIT`. */
export function workOfArguments(args: readonly string[] = process.argv.slice(2)): Work {
  const [brokers, from, to, records, totalLimit] = args;
  if (brokers === undefined || from === undefined || to === undefined || records === undefined)
    throw new Error('usage: PROGRAM BROKERS FROM TO RECORDS TOTAL_LIMIT');
  return { brokers, from, to, records: Number(records), totalLimit: Number(totalLimit) };
}

/** The decision about one event, as the value of its record in `to`. */
export function decide({ orderId, sequence, storeId, total, currency }: OrderEvent, totalLimit: number): string {
  const decision: Decision['decision'] = total < totalLimit ? 'accepted' : 'rejected';
  return JSON.stringify({ orderId, sequence, storeId, total, currency, decision } satisfies Decision);
}

/** The whole work for one value. */
export function decideValue(value: Buffer | string | null | undefined, totalLimit: number): string {
  return decide(JSON.parse(String(value)) as OrderEvent, totalLimit);
}
