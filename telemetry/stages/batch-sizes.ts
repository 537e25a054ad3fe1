// How many records go together. Every thread has one object, `threadSizes`; the rooms that gather records observe into it.

import { PlainHistogram } from '../plain-histogram.ts';

const records = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];
const bytes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192].map((kib) => kib * 1_024);
const latencyMs = [0.5, 1, 2, 3, 5, 7.5, 10, 15, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/** The sizes of one thread. */
export class BatchSizes {
  /** Records of a fetch that brought some. */
  readonly fetchRecords = new PlainHistogram(records);
  /** Records that went to a slot in one message between threads. */
  readonly transferRecords = new PlainHistogram(records);
  readonly produceRecords = new PlainHistogram(records);
  readonly produceBytes = new PlainHistogram(bytes);
  /** From sending a produce request to its answer. */
  readonly produceMs = new PlainHistogram(latencyMs, 1_000);
}

/** The sizes of the thread that imports this module. */
export const threadSizes = new BatchSizes();
