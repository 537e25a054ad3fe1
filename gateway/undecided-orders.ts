import type { Clock } from '../contracts/clock.ts';
import { groups, topics } from '../contracts/topics.ts';
import {
  type Admin,
  createAdmin,
  partitionOf,
  type RangeRead,
  RangeReader,
  type ReadBounds,
  type ReadRecord,
} from '../kafka/index.ts';

/** An order of the log that the order-validator has not come to. */
export interface UndecidedOrder {
  storeId: string;
  /** Milliseconds since the epoch. */
  acceptedAt: number;
}

/**
 * Finds an order among those that the log has and the database does not know yet. `undefined` says that it is not there; rejects while that cannot be
 * said.
 * @param storeId only of this store; of any if absent
 */
export type UndecidedLookup = (orderId: string, storeId: string | undefined) => Promise<UndecidedOrder | undefined>;

export interface UndecidedOrdersOptions {
  brokers: string[];
  clock: Clock;
  /** For tests: those of the contract otherwise. */
  topic?: string;
  group?: string;
  bounds?: ReadBounds;
}

/** What one question may read before it is answered with 503; the next one goes on from there. */
const READ_BOUNDS: ReadBounds = { bytesMax: 32 * 1024 * 1024, msMax: 2_000 };
/** Orders that are remembered, over all partitions. */
const ORDERS_MAX = 200_000;
/** An older position of the order-validator is as good: it means more to read. */
const COMMITTED_AGE_MS = 500;
/** Without questions, connections and index are let go. */
const IDLE_MS = 60_000;

/** Kept of an order: where it stands, whose it is and since when. */
interface Entry extends UndecidedOrder {
  offset: number;
}

/**
 * The orders between the order-validator's committed position and the end of `raw-orders`: accepted by whichever gateway, and not yet in the database.
 * Everything before that position is there, as decided, conflicting or parked.
 *
 * Intake touches Kafka only, so this is the one place that knows an order between its 202 and its decision, but for the gateway that took it. It is read
 * when somebody asks, from where the last question has left off; questions for one partition share a read.
 */
export class UndecidedOrders {
  readonly #options: Required<UndecidedOrdersOptions>;
  readonly #partitions = new Map<number, PartitionIndex>();
  /** How many partitions the topic has had: an order that was accepted before more were added stands where the former number has put it. */
  readonly #counts = new Set<number>();
  #reader: RangeReader | undefined;
  #admin: Promise<Admin> | undefined;
  #committed: { at: number; positions: Promise<ReadonlyMap<number, number>> } | undefined;
  #idle: NodeJS.Timeout | undefined;
  #underWay = 0;

  constructor(options: UndecidedOrdersOptions) {
    this.#options = { topic: topics.rawOrders, group: groups.orderValidator, bounds: READ_BOUNDS, ...options };
  }

  readonly find: UndecidedLookup = async (orderId, storeId) => {
    clearTimeout(this.#idle);
    this.#underWay += 1;
    try {
      this.#reader ??= new RangeReader({
        clientId: 'ordermesh-gateway-status',
        brokers: this.#options.brokers,
        topic: this.#options.topic,
      });
      return await this.#find(this.#reader, orderId, storeId);
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#idle = setTimeout(() => void this.#letGo(), IDLE_MS).unref();
    }
  };

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    await this.#letGo();
  }

  async #find(reader: RangeReader, orderId: string, storeId: string | undefined): Promise<UndecidedOrder | undefined> {
    const looked = new Set<number>();
    // Only what is not found needs the number of partitions that the topic has now.
    for (const ageMsMax of [Number.POSITIVE_INFINITY, 0]) {
      const current = await reader.partitionCount(ageMsMax);
      this.#counts.add(current);
      for (const count of this.#counts) {
        const partition = partitionOf(orderId, count);
        // A topic that was made again may have fewer of them.
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
      // The next question asks afresh, on a new connection; those who wait for this answer are told what went wrong.
      positions.catch(() => {
        if (this.#committed === asked) this.#committed = undefined;
      });
    }
    return (await this.#committed.positions).get(partition);
  }

  async #askCommitted(): Promise<ReadonlyMap<number, number>> {
    const { brokers, group, topic } = this.#options;
    const opening = this.#admin ?? createAdmin({ clientId: 'ordermesh-gateway-status', brokers });
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
    // Nothing waits for an answer of this connection any more.
    await reader?.close().catch(() => {});
  }
}

/** A connection that fails to open has told whoever asked; one that fails to close is gone as well. */
function closeQuietly(admin: Promise<Admin>): void {
  // See above.
  admin.then((open) => open.close()).catch(() => {});
}

interface PartitionIndexOptions {
  /** For messages: topic and partition. */
  place: string;
  read(from: number, onRecord: (record: ReadRecord) => void): Promise<RangeRead>;
  committed(): Promise<number | undefined>;
  /** How many more orders may be remembered. */
  room(): number;
}

/** The undecided orders of one partition, as far as they were read. */
class PartitionIndex {
  readonly #options: PartitionIndexOptions;
  readonly #orders = new Map<string, Entry[]>();
  /** Records below this offset are decided; those from there to `#next` are in the index. */
  #from = 0;
  #next = 0;
  #sweptTo = 0;
  #reading: Promise<void> | undefined;
  #queued: Promise<void> | undefined;

  constructor(options: PartitionIndexOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#orders.size;
  }

  find(orderId: string, storeId: string | undefined): UndecidedOrder | undefined {
    return this.#orders
      .get(orderId)
      ?.find((order) => order.offset >= this.#from && (storeId === undefined || order.storeId === storeId));
  }

  /** Resolves when all that was acknowledged before the call is in the index: after a read that began later than the call. */
  readToEnd(): Promise<void> {
    if (this.#reading === undefined) {
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
      });
      return this.#reading;
    }
    const again = () => {
      this.#queued = undefined;
      return this.readToEnd();
    };
    // Whether that read failed is for those to know who began it.
    this.#queued ??= this.#reading.then(again, again);
    return this.#queued;
  }

  async #read(): Promise<void> {
    const { place } = this.#options;
    const committed = await this.#options.committed();
    this.#forgetBelow(committed ?? 0);
    const room = this.#options.room();
    const from = this.#next;
    let taken = 0;
    const { next, atEnd, skipped } = await this.#options.read(from, (record) => {
      if (taken < room && this.#add(record)) taken += 1;
      if (taken < room) this.#next = record.offset + 1;
    });
    if (skipped && (committed !== undefined || from > 0)) {
      this.#startAt(committed ?? 0);
      throw new Error(`${place} does not hold offset ${from}, which the order-validator has not read`);
    }
    if (taken >= room) throw new Error(`more than ${ORDERS_MAX} orders wait for their decision`);
    this.#next = next;
    if (!atEnd) throw new Error(`${place} was read to offset ${next} in this question's time, and goes on`);
  }

  #forgetBelow(committed: number): void {
    // A position that went back is an operator's, or another log's: from there the database may know nothing.
    if (committed < this.#from || committed >= this.#next) {
      this.#startAt(committed);
      return;
    }
    this.#from = committed;
    // All of the index is looked at, so not for every few orders that were decided.
    if (committed - this.#sweptTo <= this.#orders.size / 2) return;
    this.#sweptTo = committed;
    for (const [orderId, entries] of this.#orders) {
      const left = entries.filter(({ offset }) => offset >= committed);
      if (left.length === 0) this.#orders.delete(orderId);
      else if (left.length < entries.length) this.#orders.set(orderId, left);
    }
  }

  #startAt(offset: number): void {
    this.#orders.clear();
    this.#from = offset;
    this.#sweptTo = offset;
    this.#next = offset;
  }

  /** @returns whether it took a place of its own */
  #add({ key, value, headers, timestamp, offset }: ReadRecord): boolean {
    const storeId = storeOf(value);
    if (key === null || storeId === undefined) return false;
    const orderId = key.toString();
    const time = Date.parse(headers.ce_time?.toString() ?? '');
    const entry = { storeId, acceptedAt: Number.isNaN(time) ? timestamp : time, offset };
    const known = this.#orders.get(orderId);
    if (known === undefined) {
      this.#orders.set(orderId, [entry]);
      return true;
    }
    // A repeat is the same order, and what a store is told is when it was first accepted.
    if (!known.some((earlier) => earlier.storeId === storeId)) known.push(entry);
    return false;
  }
}

function storeOf(value: Buffer | null): string | undefined {
  try {
    const storeId = (JSON.parse(String(value)) as { storeId?: unknown } | null)?.storeId;
    return typeof storeId === 'string' ? storeId : undefined;
  } catch {
    // No gateway has accepted this record, so no store asks for it; the order-validator parks it and says so.
    return undefined;
  }
}
