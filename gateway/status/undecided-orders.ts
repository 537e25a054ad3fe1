// Finds orders that are in the log only. Created by gateway.ts; status-reader.ts asks it.

import type { Clock } from '../../contracts/clock.ts';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { groups, topics } from '../../contracts/topics.ts';
import { type Admin, createAdmin, partitionOf, RangeReader, type ReadBounds } from '../../kafka/index.ts';
import { ORDERS_MAX, PartitionIndex, type UndecidedOrder } from './undecided-partition.ts';

/**
 * Finds an order that is in the log and not yet in the database. `undefined`: there is no such order. Rejects when the log cannot be read.
 * @param storeId finds only orders of this store; absent: of any store
 */
export type UndecidedLookup = (orderId: string, storeId: string | undefined) => Promise<UndecidedOrder | undefined>;

export interface UndecidedOrdersOptions {
  cluster: KafkaCluster;
  clock: Clock;
  /** For tests; otherwise those of `contracts/topics.ts`. */
  topic?: string;
  group?: string;
  bounds?: ReadBounds;
}

/** One question reads no more than this before it is answered with 503; the next question continues there. */
const READ_BOUNDS: ReadBounds = { bytesMax: 32 * 1024 * 1024, msMax: 2_000 };
/** An older position of the order-validator is correct too; it only means more to read. */
const COMMITTED_AGE_MS = 500;
/** Without questions for this long, the connections are closed and the index is dropped. */
const IDLE_MS = 60_000;

/**
 * The orders between the order-validator's committed position and the end of `raw-orders`: accepted by any gateway, and not yet in the database.
 * The database has all orders before that position, as decided, conflicting or parked.
 *
 * Intake writes only to Kafka, so between its 202 and its decision an order is known only here and in the gateway that accepted it. A question reads on from
 * where the last question stopped; questions for one partition share a read.
 */
export class UndecidedOrders {
  readonly #options: Required<UndecidedOrdersOptions>;
  readonly #partitions = new Map<number, PartitionIndex>();
  /** The numbers of partitions that the topic has had. An order that was accepted before partitions were added is in the partition that the former number selects. */
  readonly #counts = new Set<number>();
  #reader: RangeReader | undefined;
  #admin: Promise<Admin> | undefined;
  #committed: { at: number; positions: Promise<ReadonlyMap<number, number>> } | undefined;
  #idle: NodeJS.Timeout | undefined;
  #inFlight = 0;

  constructor(options: UndecidedOrdersOptions) {
    this.#options = { topic: topics.rawOrders, group: groups.orderValidator, bounds: READ_BOUNDS, ...options };
  }

  readonly find: UndecidedLookup = async (orderId, storeId) => {
    clearTimeout(this.#idle);
    this.#inFlight++;
    try {
      this.#reader ??= new RangeReader({
        clientId: 'ordermesh-gateway-status',
        cluster: this.#options.cluster,
        topic: this.#options.topic,
      });
      return await this.#find(this.#reader, orderId, storeId);
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0) this.#idle = setTimeout(() => void this.#letGo(), IDLE_MS).unref();
    }
  };

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    await this.#letGo();
  }

  async #find(reader: RangeReader, orderId: string, storeId: string | undefined): Promise<UndecidedOrder | undefined> {
    const looked = new Set<number>();
    // The known number of partitions finds most orders. Only for an order that was not found, ask for the current number.
    for (const ageMsMax of [Number.POSITIVE_INFINITY, 0]) {
      const current = await reader.partitionCount(ageMsMax);
      this.#counts.add(current);
      for (const count of this.#counts) {
        const partition = partitionOf(orderId, count);
        // A topic that was created again may have fewer partitions.
        if (partition >= current || looked.has(partition)) continue;
        looked.add(partition);
        const index = this.#indexOf(partition, reader);
        await index.readToEnd();
        const found = index.find(orderId, storeId);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  #indexOf(partition: number, reader: RangeReader): PartitionIndex {
    let index = this.#partitions.get(partition);
    if (index === undefined) {
      index = new PartitionIndex({
        place: `${this.#options.topic}[${partition}]`,
        read: (from, onRecord) => reader.read(partition, from, this.#options.bounds, onRecord),
        committed: () => this.#committedAt(partition),
        room: () => this.#room(),
      });
      this.#partitions.set(partition, index);
    }
    return index;
  }

  #room(): number {
    let room = ORDERS_MAX;
    for (const { size } of this.#partitions.values()) room -= size;
    return room;
  }

  async #committedAt(partition: number): Promise<number | undefined> {
    const now = this.#options.clock.now();
    if (this.#committed === undefined || Math.abs(now - this.#committed.at) > COMMITTED_AGE_MS) {
      const positions = this.#askCommitted();
      const asked = { at: now, positions };
      this.#committed = asked;
      // The callers that wait for this answer get the error. The next question asks again, on a new connection.
      positions.catch(() => {
        if (this.#committed === asked) this.#committed = undefined;
      });
    }
    return (await this.#committed.positions).get(partition);
  }

  async #askCommitted(): Promise<ReadonlyMap<number, number>> {
    const { cluster, group, topic } = this.#options;
    const opening = this.#admin ?? createAdmin({ clientId: 'ordermesh-gateway-status', cluster });
    this.#admin = opening;
    try {
      return await (await opening).committedOffsets(group, topic);
    } catch (error) {
      if (this.#admin === opening) this.#admin = undefined;
      closeQuietly(opening);
      throw error;
    }
  }

  async #letGo(): Promise<void> {
    const reader = this.#reader;
    const admin = this.#admin;
    this.#reader = undefined;
    this.#admin = undefined;
    this.#committed = undefined;
    this.#partitions.clear();
    if (admin !== undefined) closeQuietly(admin);
    // No question waits for this connection, so a failed close loses nothing.
    await reader?.close().catch(() => {});
  }
}

function closeQuietly(admin: Promise<Admin>): void {
  // A connection that did not open has already failed the question that opened it, and no question waits for a connection that closes.
  admin.then((open) => open.close()).catch(() => {});
}
