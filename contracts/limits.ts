import assert from 'node:assert/strict';

/**
 * Every fixed limit of the product, in one place; their relations are asserted below. What an operator may change is in `config.ts`. What
 * is here is part of the public contract or of a proof.
 */
export const limits = {
  /** Largest order body, in bytes, over every transport. */
  orderBytesMax: 256 * 1024,
  /** Largest batch request, in bytes. */
  batchBytesMax: 4 * 1024 * 1024,
  /** Most orders in one `POST /v1/orders/batch`. */
  batchOrdersMax: 1_000,
  itemsPerOrderMax: 100,
  modifiersPerItemMax: 20,
  partsPerItemMax: 20,
  allergiesPerItemMax: 16,
  adjustmentsPerOrderMax: 32,
  /** Entries of an order's metadata. */
  metadataMax: 16,
  quantityMax: 999,
  /** Largest amount of one order, in minor units: a price with a typing error is refused. */
  amountMax: 100_000_000,
  /** Unanswered submits on one WebSocket connection. */
  streamUnansweredMax: 256,
  /** `max.message.bytes` of our topics: the largest record batch a broker takes for one partition. */
  kafkaBatchBytesMax: 1_048_576,
  /** Bytes of records for one partition in one produce request, with room for headers and framing. */
  producePartitionBytesMax: 900_000,
  /** Retries of a failing message before it is parked in the dead-letter topic. */
  retriesMax: 3,
  /** Transactions in flight per worker thread: enough to let the database and the broker work at the same time. */
  turnsMax: 4,
  /** The frontier may be this many times `ORDERMESH_MAILBOX_MESSAGES_MAX` behind the newest message. */
  frontierWindowFactor: 10,
} as const;

assert(limits.orderBytesMax < limits.producePartitionBytesMax, 'an order must fit into one produce request');
assert(limits.producePartitionBytesMax < limits.kafkaBatchBytesMax, 'a produce request must fit the broker limit');
assert(limits.batchBytesMax >= limits.orderBytesMax, 'a batch of one order must be as large as a single order');
