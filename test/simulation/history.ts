import { deadLetterHeaders } from '../../contracts/headers.ts';
import type { OutgoingRecord } from '../../kafka/producer/producer.ts';
import { type ActorShape, failsAt, mayPark, mustPark, type Order } from './orders.ts';
import { bytesOf, nameOf, type Tracked, type TrackedKey, type TrackedPartition, track, trackKey } from './tracked.ts';

/** As in runtime/wire/suspects.ts. */
const DEATHS_ALONE_TO_PARK = 3;
const DEATHS_TO_PARK = 10;
/** No partition with work may stand for longer once the last fault has ended. */
const STANDING_MS_MAX = 30_000;

/**
 * The oracle. It sees every act where it takes effect (in the store, in the log, in the group's committed offsets), checks it against the
 * invariants of the runtime at once, and checks the whole at the end.
 */
export class History {
  violation: string | undefined;
  /** Everything that ever failed has been repaired, so nothing may stay parked. */
  repaired = false;
  #deaths = 0;
  readonly #shape: ActorShape;
  readonly #recording: boolean;
  readonly #keys = new Map<string, TrackedKey>();
  readonly #partitions: TrackedPartition[];
  /** Ids with a stored decision and the message that it came from; and their outputs in the log. */
  readonly #effects = new Map<string, Tracked>();
  readonly #outputs = new Map<string, Set<number>>();
  /** Messages by id: the same order may be sent twice, and what ends one message ends the other. */
  readonly #byId = new Map<string, Tracked[]>();
  /** Ids that don't fail any more. */
  readonly #cured = new Set<string>();

  /** @param recording false for a runtime without a database: parked messages are known only to their owner and the dead-letter topic */
  constructor(shape: ActorShape, partitions: number, recording: boolean) {
    this.#shape = shape;
    this.#recording = recording;
    this.#partitions = Array.from({ length: partitions }, () => ({
      messages: [],
      byOffset: new Map(),
      through: 0,
      end: 0,
      committed: 0,
      committedMax: 0,
      movedAt: 0,
      movedTo: -1,
    }));
  }

  violate(invariant: string, what: string): void {
    this.violation ??= `${invariant}: ${what}`;
  }

  sent(order: Order): void {
    const key = this.#keys.get(order.key) ?? trackKey();
    this.#keys.set(order.key, key);
    const tracked = track(order, key.messages.length);
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

  /** Threads died while these messages were at work. */
  blamed(places: readonly { partition: number; offset: number }[]): void {
    this.#deaths++;
    for (const { partition, offset } of places) {
      const tracked = this.at(partition, offset);
      tracked.deaths++;
      if (places.length === 1) tracked.deathsAlone++;
    }
  }

  /** Whether the broker accepts an output. */
  refuses(id: string, number: number): boolean {
    return number === 0 && this.#byId.get(id)?.[0]?.order.nature === 'refused' && !this.isCured(id);
  }

  /** The reason for the order's failure is repaired. */
  cure(id: string): void {
    this.#cured.add(id);
  }

  isCured(id: string): boolean {
    return this.repaired || this.#cured.has(id);
  }

  /**
   * The actor begins a message: all earlier messages of its key must be applied or discarded. `current` tells whether its thread has the
   * newest epoch. A thread with an older one can't know what was parked since then, and may decode a message that will have no effect.
   */
  began(tracked: Tracked, current: boolean): void {
    if (!current) return;
    const { order, index } = tracked;
    const key = this.#key(order.key);
    const before = key.messages[key.final];
    if (index > key.final && before !== undefined)
      this.violate(
        before.letter === 'parked' ? 'nothing overtakes parked messages' : 'per key serial',
        `${nameOf(order)} began before ${nameOf(before.order)} was through`,
      );
    if (key.parkedFrom !== undefined && order.offset > key.parkedFrom && !tracked.handedOut)
      this.violate('parked followers stay behind', `${nameOf(order)} began, parked from ${key.parkedFrom} on`);
  }

  decoded(tracked: Tracked): void {
    tracked.decoded = true;
    this.#advance(tracked);
  }

  prepared(tracked: Tracked): void {
    tracked.prepared = true;
    this.#advance(tracked);
  }

  /** An effect becomes durable. `current` tells whether its epoch is still the newest. */
  effect(tracked: Tracked, current: boolean): void {
    const { order } = tracked;
    const key = this.#key(order.key);
    if (!current) this.violate('a zombie does nothing', `an effect of ${nameOf(order)} with an old epoch`);
    if (this.#effects.has(order.id)) this.violate('effects happen once', `a second effect of ${nameOf(order)}`);
    if (mustPark(order) && !this.isCured(order.id) && order.nature !== 'refused')
      this.violate('poison is parked', `an effect of ${nameOf(order)}, which is ${order.nature}`);
    if (key.parkedFrom !== undefined && order.offset >= key.parkedFrom && !tracked.handedOut)
      this.violate('parked followers stay behind', `an effect of ${nameOf(order)}, parked from ${key.parkedFrom} on`);
    if (tracked.letter === 'discarded')
      this.violate('discarded means given up', `an effect of ${nameOf(order)}, which was discarded`);
    if (tracked.index > key.final)
      this.violate('per key serial', `an effect of ${nameOf(order)} with earlier messages of its key not through`);
    this.#effects.set(order.id, tracked);
    this.#advanceId(order.id);
  }

  hasEffect(id: string): boolean {
    return this.#effects.has(id);
  }

  parked(tracked: Tracked, current: boolean): void {
    const { order, letter } = tracked;
    const key = this.#key(order.key);
    if (!current) this.violate('a zombie does nothing', `${nameOf(order)} was parked with an old epoch`);
    if (!this.#mayPark(tracked))
      this.violate('an outage is not poison', `${nameOf(order)} was parked, but it is ${order.nature}`);
    if (letter !== undefined) this.violate('what is done with stays so', `${nameOf(order)} was ${letter}, then parked`);
    key.parkedFrom = order.offset;
    key.parkedFroms.add(order.offset);
  }

  /** The store has recorded the dead letter. From now on it can be replayed. */
  recorded(tracked: Tracked): void {
    if (tracked.deadLetters === 0)
      this.violate('recorded after the topic has it', `${nameOf(tracked.order)} is in no dead-letter topic`);
    tracked.letter = 'parked';
    this.#advance(tracked);
  }

  /** A replay begins to work on a parked message: all earlier messages of its key must be applied or discarded. */
  handedOut(tracked: Tracked): void {
    const key = this.#key(tracked.order.key);
    const before = key.messages[key.final];
    if (tracked.index > key.final && before !== undefined)
      this.violate('replayed in order', `${nameOf(tracked.order)} before ${nameOf(before.order)}`);
    tracked.handedOut = true;
  }

  replayed(tracked: Tracked): void {
    if (!tracked.handedOut) this.violate('replayed means worked on', `${nameOf(tracked.order)} never was`);
    if (!this.#isApplied(tracked))
      this.violate('replayed means applied', `${nameOf(tracked.order)} lacks its effect or outputs`);
    tracked.letter = 'replayed';
    this.#advance(tracked);
  }

  failedAgain(tracked: Tracked): void {
    const { order } = tracked;
    const key = this.#key(order.key);
    if (!this.#mayPark(tracked))
      this.violate('an outage is not poison', `${nameOf(order)} failed in a replay, but it is ${order.nature}`);
    const before = key.messages[key.final];
    if (before !== tracked) this.violate('parks at the front', `${nameOf(order)}, behind others`);
    tracked.handedOut = false;
    key.parkedFrom = order.offset;
    key.parkedFroms.add(order.offset);
  }

  released(keyName: string): void {
    this.#key(keyName).parkedFrom = undefined;
  }

  edited(tracked: Tracked, value: string): void {
    tracked.edited = value;
    this.cure(tracked.order.id);
  }

  discarded(tracked: Tracked): void {
    tracked.letter = 'discarded';
    this.#advance(tracked);
  }

  /** An output is in the log. */
  output(id: string, number: number): void {
    const tracked = this.#effects.get(id);
    if (tracked === undefined) {
      this.violate('outputs follow effects', `an output of ${id}, which has no effect`);
      return;
    }
    const seen = this.#outputs.get(id) ?? new Set();
    this.#outputs.set(id, seen);
    if (seen.has(number)) return;
    seen.add(number);
    const key = this.#key(tracked.order.key);
    if (tracked.index < key.outputIndex && tracked.letter !== 'discarded')
      this.violate('per key serial', `an output of ${nameOf(tracked.order)} after one of a later message`);
    key.outputIndex = tracked.index;
    this.#advanceId(id);
  }

  /** A dead letter is in the log. */
  deadLetter({ key: keyBytes, value, headers = {} }: OutgoingRecord): void {
    const partition = Number(headers[deadLetterHeaders.partition]);
    const tracked = this.at(partition, Number(headers[deadLetterHeaders.offset]));
    const { order } = tracked;
    const key = this.#key(order.key);
    if (String(keyBytes) !== order.key || String(value) !== bytesOf(order))
      this.violate('a dead letter is the message', `${nameOf(order)} reads ${String(keyBytes)} ${String(value)}`);
    const behind = headers[deadLetterHeaders.behind];
    const from = behind === undefined ? order.offset : Number(behind);
    if (!this.#recording && from === order.offset) {
      if (!this.#mayPark(tracked)) this.violate('an outage is not poison', `${nameOf(order)} is a dead letter`);
      key.parkedFroms.add(from);
    }
    // A former owner, which doesn't know of a release, may still write a dead letter; it can't record it.
    if (!key.parkedFroms.has(from) || from > order.offset)
      this.violate(
        'parked first',
        `a dead letter of ${nameOf(order)} behind ${behind}, where its key never was parked`,
      );
    if (tracked.deadLetters++ > 0) return;
    if (tracked.index < key.deadLetterIndex && this.#recording)
      this.violate('parked in order', `a dead letter of ${nameOf(order)} after one of a later message`);
    key.deadLetterIndex = tracked.index;
    this.#advance(tracked);
  }

  /**
   * The group accepts a commit. `assigned` tells whether the member has the partition in that generation; `overtaken`, whether a later
   * request arrived before. Only an overtaken commit may set the position back.
   */
  committed(number: number, offset: number, commit: { by: string; assigned: boolean; overtaken: boolean }): void {
    const partition = this.#partition(number);
    const { by } = commit;
    if (!commit.assigned)
      this.violate('never commit what is lost', `${by} committed ${number}@${offset}, not assigned to it`);
    if (offset < partition.committed && !commit.overtaken)
      this.violate('commits go forward', `${by} committed ${number}@${offset} after @${partition.committed}`);
    const unfinished = partition.messages[partition.through];
    if (unfinished !== undefined && unfinished.order.offset < offset)
      this.violate(
        'no commit past an unfinished message',
        `${by} committed ${number}@${offset} past ${nameOf(unfinished.order)}`,
      );
    partition.committed = offset;
    partition.committedMax = Math.max(partition.committedMax, offset);
  }

  /** Everything has worked since `healedAt`, so a partition with work must move. */
  watch(now: number, healedAt: number): void {
    for (const [number, partition] of this.#partitions.entries()) {
      const { messages, through, committedMax, end, movedTo } = partition;
      const idle = through === messages.length && committedMax === end;
      // A message that threads die of needs another death for each step, until it is parked.
      const progress = through + committedMax + this.#deaths;
      if (idle || progress !== movedTo) partition.movedAt = now;
      partition.movedTo = progress;
      if (now - Math.max(partition.movedAt, healedAt) > STANDING_MS_MAX)
        this.violate('nothing stands still', `partition ${number} @${committedMax} of @${end}, everything works`);
    }
  }

  /** Whether every message is finished and committed. */
  get complete(): boolean {
    return this.#partitions.every(
      ({ messages, through, committedMax, end }) => through === messages.length && committedMax === end,
    );
  }

  /** Checks the whole at the end. */
  close(): void {
    for (const { messages, through, committedMax, end } of this.#partitions) {
      const stuck = messages[through];
      if (stuck !== undefined)
        this.violate('everything finishes', `${nameOf(stuck.order)} (${stuck.order.nature}) is not through`);
      else if (committedMax !== end) this.violate('everything finishes', `committed @${committedMax} of @${end}`);
    }
    for (const key of this.#keys.values()) {
      const parkedFrom = key.parkedFrom ?? Number.POSITIVE_INFINITY;
      for (const tracked of key.messages) this.#closeMessage(tracked, tracked.order.offset >= parkedFrom);
    }
  }

  /** Each message is exactly one of: applied, parked, discarded. */
  #closeMessage(tracked: Tracked, keyIsParked: boolean): void {
    const { order, letter, deadLetters } = tracked;
    const wrong = (what: string) =>
      this.violate('applied, parked or discarded', `${nameOf(order)} (${order.nature}) ${what}`);
    if (keyIsParked && letter === undefined) wrong('is parked and has no dead letter');
    if (!keyIsParked && letter === 'parked') wrong('is parked, and its key is not');
    if (this.repaired && letter === 'parked') wrong('could not be replayed');
    const applied = this.#recording ? letter === undefined || letter === 'replayed' : deadLetters === 0;
    if (applied && mustPark(order) && !this.isCured(order.id) && failsAt(order.nature) !== undefined)
      wrong('was not parked');
    if (order.nature === 'skipped' || !this.#shape.apply) return;
    if (applied && !this.#isApplied(tracked)) wrong('lacks its effect or outputs');
    const repeated = (this.#byId.get(order.id)?.length ?? 0) > 1;
    // A message is parked after deaths of threads, also if its effect is durable: the threads may have died after it.
    if (!applied && this.#effects.has(order.id) && !isConvicted(tracked) && !tracked.applied && !repeated)
      wrong(`is ${letter} and has its effect`);
  }

  /** A message that often was alone at work when a thread died can't be told from a message that threads die of. */
  #mayPark(tracked: Tracked): boolean {
    return mayPark(tracked.order) || isConvicted(tracked);
  }

  #advanceId(id: string): void {
    for (const tracked of this.#byId.get(id) ?? []) this.#advance(tracked);
  }

  #advance(tracked: Tracked): void {
    const key = this.#key(tracked.order.key);
    const parked = this.#recording ? tracked.letter !== undefined : tracked.deadLetters > 0;
    tracked.through ||= parked || this.#isApplied(tracked);
    for (let next = key.messages[key.final]; next !== undefined && isFinal(next); next = key.messages[key.final])
      key.final++;
    const partition = this.#partition(tracked.order.partition);
    while (partition.messages[partition.through]?.through === true) partition.through++;
  }

  #isApplied({ order, decoded, prepared }: Tracked): boolean {
    if (order.nature === 'skipped') return decoded;
    if (this.#shape.apply)
      return this.#effects.has(order.id) && (this.#outputs.get(order.id)?.size ?? 0) === order.outputs;
    return this.#shape.prepare ? prepared : decoded;
  }

  #key(key: string): TrackedKey {
    const found = this.#keys.get(key);
    if (found === undefined) throw new Error(`no message with key ${key} was sent`);
    return found;
  }

  #partition(number: number): TrackedPartition {
    const found = this.#partitions[number];
    if (found === undefined) throw new Error(`no partition ${number}`);
    return found;
  }
}

function isConvicted({ deaths, deathsAlone }: Tracked): boolean {
  return deathsAlone >= DEATHS_ALONE_TO_PARK || deaths >= DEATHS_TO_PARK;
}

function isFinal({ through, letter }: Tracked): boolean {
  return through && letter !== 'parked';
}
