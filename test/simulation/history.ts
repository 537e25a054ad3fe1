import { deadLetterHeaders } from '../../contracts/headers.ts';
import type { OutgoingRecord } from '../../kafka/producer.ts';
import { type ActorShape, failsAt, mayPark, mustPark, type Order } from './orders.ts';

/** A message and what has become of it, as the world knows it. */
export interface Tracked {
  readonly order: Order;
  /** Its place among the messages of its key. */
  readonly index: number;
  decoded: boolean;
  prepared: boolean;
  deadLetters: number;
  settled: boolean;
}

interface Key {
  messages: Tracked[];
  /** So many of the first of them are settled. */
  settled: number;
  /** From this offset on the key is parked, as the store knows it. */
  parkedFrom: number | undefined;
  /** The newest message with an output in the log, and the newest with a dead letter. */
  outputIndex: number;
  deadLetterIndex: number;
}

interface Partition {
  messages: Tracked[];
  byOffset: Map<number, Tracked>;
  settled: number;
  end: number;
  committed: number;
}

/**
 * The oracle. It sees every act where it takes effect (in the store, in the log, in the group's committed offsets) and holds it
 * against the invariants of the runtime, at once; and everything together at the end.
 */
export class History {
  violation: string | undefined;
  readonly #shape: ActorShape;
  readonly #keys = new Map<string, Key>();
  readonly #partitions: Partition[];
  /** Ids with a stored decision, and the outputs of each that are in the log. */
  readonly #effects = new Set<string>();
  readonly #outputs = new Map<string, Set<number>>();
  /** Messages of an id, so that what settles one settles a repeated one. */
  readonly #byId = new Map<string, Tracked[]>();

  constructor(shape: ActorShape, partitions: number) {
    this.#shape = shape;
    this.#partitions = Array.from({ length: partitions }, () => ({
      messages: [],
      byOffset: new Map(),
      settled: 0,
      end: 0,
      committed: 0,
    }));
  }

  violate(invariant: string, what: string): void {
    this.violation ??= `${invariant}: ${what}`;
  }

  sent(order: Order): void {
    const key = this.#keys.get(order.key) ?? {
      messages: [],
      settled: 0,
      parkedFrom: undefined,
      outputIndex: -1,
      deadLetterIndex: -1,
    };
    this.#keys.set(order.key, key);
    const index = key.messages.length;
    const tracked: Tracked = { order, index, decoded: false, prepared: false, deadLetters: 0, settled: false };
    key.messages.push(tracked);
    this.#byId.set(order.id, [...(this.#byId.get(order.id) ?? []), tracked]);
    const partition = this.#partition(order.partition);
    partition.messages.push(tracked);
    partition.byOffset.set(order.offset, tracked);
    partition.end = order.offset + 1;
  }

  at(partition: number, offset: number): Tracked {
    const tracked = this.#partition(partition).byOffset.get(offset);
    if (tracked === undefined) throw new Error(`no message ${partition}/${offset} was sent`);
    return tracked;
  }

  /** The actor begins a message: all before it of its key are through, and none of them is parked. */
  began(tracked: Tracked): void {
    const { order, index } = tracked;
    const key = this.#key(order.key);
    const before = key.messages[key.settled];
    if (index > key.settled && before !== undefined)
      this.violate('per key serial', `${name(order)} began before ${name(before.order)} was through`);
    if (key.parkedFrom !== undefined && order.offset > key.parkedFrom)
      this.violate('parked followers stay behind', `${name(order)} began, parked from ${key.parkedFrom} on`);
  }

  decoded(tracked: Tracked): void {
    tracked.decoded = true;
    this.#settle(tracked);
  }

  prepared(tracked: Tracked): void {
    tracked.prepared = true;
    this.#settle(tracked);
  }

  /** An effect becomes durable. `current` tells whether the epoch that it came with is still the newest. */
  effect(tracked: Tracked, current: boolean): void {
    const { order } = tracked;
    const key = this.#key(order.key);
    if (!current) this.violate('a zombie does nothing', `an effect of ${name(order)} with an old epoch`);
    if (this.#effects.has(order.id)) this.violate('effects happen once', `a second effect of ${name(order)}`);
    if (mustPark(order)) this.violate('poison is parked', `an effect of ${name(order)}, which is ${order.nature}`);
    if (key.parkedFrom !== undefined && order.offset >= key.parkedFrom)
      this.violate('parked followers stay behind', `an effect of ${name(order)}, parked from ${key.parkedFrom} on`);
    if (tracked.index > key.settled)
      this.violate('per key serial', `an effect of ${name(order)} with earlier messages of its key not through`);
    this.#effects.add(order.id);
    this.#settleId(order.id);
  }

  hasEffect(id: string): boolean {
    return this.#effects.has(id);
  }

  parked(order: Order, current: boolean): void {
    const key = this.#key(order.key);
    if (!current) this.violate('a zombie does nothing', `${name(order)} was parked with an old epoch`);
    if (!mayPark(order))
      this.violate('an outage is not poison', `${name(order)} was parked, but it is ${order.nature}`);
    key.parkedFrom ??= order.offset;
  }

  /** An output is in the log. */
  output(id: string, number: number): void {
    const tracked = this.#byId.get(id)?.[0];
    if (tracked === undefined || !this.#effects.has(id)) {
      this.violate('outputs follow effects', `an output of ${id}, which has no effect`);
      return;
    }
    const seen = this.#outputs.get(id) ?? new Set();
    this.#outputs.set(id, seen);
    if (seen.has(number)) return;
    seen.add(number);
    const key = this.#key(tracked.order.key);
    if (tracked.index < key.outputIndex)
      this.violate('per key serial', `an output of ${name(tracked.order)} after one of a later message`);
    key.outputIndex = tracked.index;
    this.#settleId(id);
  }

  /** A dead letter is in the log. */
  deadLetter({ key: keyBytes, value, headers = {} }: OutgoingRecord): void {
    const partition = Number(headers[deadLetterHeaders.partition]);
    const tracked = this.at(partition, Number(headers[deadLetterHeaders.offset]));
    const { order } = tracked;
    const key = this.#key(order.key);
    if (String(keyBytes) !== order.key || String(value) !== bytesOf(order))
      this.violate('a dead letter is the message', `${name(order)} reads ${String(keyBytes)} ${String(value)}`);
    if (key.parkedFrom === undefined || order.offset < key.parkedFrom)
      this.violate('parked first', `a dead letter of ${name(order)}, which is not parked`);
    const behind = headers[deadLetterHeaders.behind];
    const behindExpected = order.offset === key.parkedFrom ? undefined : String(key.parkedFrom);
    if (behind !== behindExpected) this.violate('dead letters say behind which', `${name(order)} says ${behind}`);
    if (tracked.deadLetters++ > 0) return;
    if (tracked.index < key.deadLetterIndex)
      this.violate('parked in order', `a dead letter of ${name(order)} after one of a later message`);
    key.deadLetterIndex = tracked.index;
    this.#settle(tracked);
  }

  /** The group takes a commit. `assigned` tells whether the partition is that member's in that generation. */
  committed(number: number, offset: number, member: string, assigned: boolean): void {
    const partition = this.#partition(number);
    if (!assigned)
      this.violate('never commit what is lost', `${member} committed ${number}@${offset}, not assigned to it`);
    if (offset < partition.committed)
      this.violate('commits go forward', `${member} committed ${number}@${offset} after @${partition.committed}`);
    const unfinished = partition.messages[partition.settled];
    if (unfinished !== undefined && unfinished.order.offset < offset)
      this.violate(
        'no commit past an unfinished message',
        `${member} committed ${number}@${offset} past ${name(unfinished.order)}`,
      );
    partition.committed = offset;
  }

  /** Whether every message is through and committed. */
  get complete(): boolean {
    return this.#partitions.every(
      ({ messages, settled, committed, end }) => settled === messages.length && committed === end,
    );
  }

  /** What holds of the whole once everything is through. */
  close(): void {
    for (const { messages, settled, committed, end } of this.#partitions) {
      const stuck = messages[settled];
      if (stuck !== undefined)
        this.violate('everything finishes', `${name(stuck.order)} (${stuck.order.nature}) is not through`);
      else if (committed !== end) this.violate('everything finishes', `committed @${committed} of @${end}`);
    }
    for (const key of this.#keys.values())
      for (const tracked of key.messages) this.#closeMessage(tracked, key.parkedFrom);
  }

  #closeMessage({ order, deadLetters }: Tracked, parkedFrom: number | undefined): void {
    const parked = parkedFrom !== undefined && order.offset >= parkedFrom;
    const wrong = (what: string) =>
      this.violate('applied or dead-lettered', `${name(order)} (${order.nature}) ${what}`);
    if (parked !== deadLetters > 0)
      wrong(parked ? 'is parked and has no dead letter' : 'has a dead letter and is not parked');
    if (!parked && mustPark(order) && failsAt(order.nature) !== undefined) wrong('was not parked');
    if (parked || !this.#shape.apply || order.nature === 'skipped') return;
    if (!this.#effects.has(order.id)) wrong('has no effect');
    if ((this.#outputs.get(order.id)?.size ?? 0) !== order.outputs) wrong('lacks outputs');
  }

  #settleId(id: string): void {
    for (const tracked of this.#byId.get(id) ?? []) this.#settle(tracked);
  }

  #settle(tracked: Tracked): void {
    if (tracked.settled || !this.#isThrough(tracked)) return;
    tracked.settled = true;
    const key = this.#key(tracked.order.key);
    while (key.messages[key.settled]?.settled === true) key.settled++;
    const partition = this.#partition(tracked.order.partition);
    while (partition.messages[partition.settled]?.settled === true) partition.settled++;
  }

  #isThrough({ order, decoded, prepared, deadLetters }: Tracked): boolean {
    if (deadLetters > 0) return true;
    if (order.nature === 'skipped') return decoded;
    if (this.#shape.apply)
      return this.#effects.has(order.id) && (this.#outputs.get(order.id)?.size ?? 0) === order.outputs;
    return this.#shape.prepare ? prepared : decoded;
  }

  #key(key: string): Key {
    const found = this.#keys.get(key);
    if (found === undefined) throw new Error(`no message with key ${key} was sent`);
    return found;
  }

  #partition(number: number): Partition {
    const found = this.#partitions[number];
    if (found === undefined) throw new Error(`no partition ${number}`);
    return found;
  }
}

/** A message's bytes. */
export function bytesOf({ id, nature }: Order): string {
  return JSON.stringify({ id, nature });
}

function name({ id, key, partition, offset }: Order): string {
  return `${partition}/${offset} (${id} of ${key})`;
}
