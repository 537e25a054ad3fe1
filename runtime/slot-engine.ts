import type { OutgoingRecord } from '../kafka/producer.ts';
import { type Actor, skip } from './actor.ts';
import type { PackedBatch } from './batch-codec.ts';
import { deadLetterRecord, parkingFor } from './dead-letter.ts';
import { Mailbox, type MailboxIdentity, type Parking } from './mailbox.ts';
import { MessageEntry } from './message-entry.ts';
import { Circuit, describeError, faultOf } from './outage.ts';
import { ReadyQueue } from './ready-queue.ts';
import { exponentialDelayMs, retryDecision } from './retry.ts';
import { type Dependency, dependencies, type SlotLimits, type SlotReport } from './slot-protocol.ts';
import type { Timers } from './timers.ts';
import { runTurn, type Transact, type TurnResult } from './turn.ts';

/** What the engine does to the world. A simulation puts models in their place. */
export interface EnginePorts {
  timers: Timers;
  /** One fenced transaction around the actor's `apply`. */
  transact: Transact;
  /** Appends a record to Kafka; `done` is called exactly once. */
  append(record: OutgoingRecord, done: (error: Error | null) => void): void;
  /** Records durably that a key is parked; false when the partition is fenced. */
  park(mailbox: Mailbox<MessageEntry>, key: string, parking: Parking): Promise<boolean>;
  report(report: SlotReport): void;
  observe: EngineObserver;
}

/** What is counted. Called per turn or per failure, never per message. */
export interface EngineObserver {
  turn(messages: number, seconds: number): void;
  retry(): void;
  deadLetter(behind: boolean): void;
}

/** A third party is called once a message and now and then fails to answer one call; a turn or an append stands for many messages. */
const PREPARE_FAILURES_TO_OPEN = 5;

/** So many applicable messages are a backlog: another turn begins beside those under way. */
const BACKLOG_MESSAGES = 200;
/** Longest time that messages gather behind a turn. */
const GATHER_MS_MAX = 25;

/** An actor that keeps the thread busy gives way to other events (a drain, a report) after so long. */
const SLICE_MS = 20;
/** The clock is read at every 32nd message. */
const SLICE_CHECK_MASK = 31;

/**
 * The scheduler of one slot: takes batches in, keeps one message a key under way, forms turns over all partitions of the slot, and
 * says what is finished. It owns no clock, socket or timer: all of them come in through its ports.
 *
 * A message's way: ready → begun (decoded, prepared) → applicable → in a turn → producing → finished; or, failing, retried and
 * then parked. Messages of an actor with neither `prepare` nor `apply` finish while their batch is taken in.
 */
export class SlotEngine {
  readonly #actor: Actor<unknown, unknown>;
  readonly #group: string;
  readonly #limits: SlotLimits;
  readonly #ports: EnginePorts;
  readonly #mailboxes = new Map<number, Mailbox<MessageEntry>>();
  readonly #ready = new ReadyQueue<MessageEntry>();
  readonly #applicable = new ReadyQueue<MessageEntry>();
  readonly #circuits: Record<Dependency, Circuit>;
  readonly #dirty = new Set<Mailbox<MessageEntry>>();
  readonly #drains = new Map<Mailbox<MessageEntry>, () => void>();
  #preparing = 0;
  #turns = 0;
  #lastTurnAt = 0;
  #gathering = false;
  #pumpDue = false;
  #flushDue = false;

  constructor(actor: Actor<unknown, unknown>, group: string, limits: SlotLimits, ports: EnginePorts) {
    this.#actor = actor;
    this.#group = group;
    this.#limits = limits;
    this.#ports = ports;
    const policy = { backoffMs: limits.outageBackoffMs, backoffMsMax: limits.outageBackoffMsMax };
    this.#circuits = {
      prepare: new Circuit({ ...policy, failuresToOpen: PREPARE_FAILURES_TO_OPEN }),
      database: new Circuit({ ...policy, failuresToOpen: 1 }),
      broker: new Circuit({ ...policy, failuresToOpen: 1 }),
    };
  }

  /** Takes over a partition, in place of what it may have had of it before. */
  open(identity: MailboxIdentity): void {
    this.close(identity.partition);
    this.#mailboxes.set(identity.partition, new Mailbox<MessageEntry>(identity));
  }

  /** Forgets a partition: nothing of it begins any more, and what is under way is dropped when it comes back. */
  close(partition: number): void {
    const mailbox = this.#mailboxes.get(partition);
    if (mailbox === undefined) return;
    this.#mailboxes.delete(partition);
    this.#dirty.delete(mailbox);
    mailbox.close();
    this.#settleDrain(mailbox);
    this.#forgetOutages();
  }

  /**
   * Begins no further message of the partition and resolves when those under way are finished.
   * @returns the frontier that may be committed then; undefined when there is none.
   */
  async drain(partition: number): Promise<number | undefined> {
    const mailbox = this.#mailboxes.get(partition);
    if (mailbox === undefined) return undefined;
    mailbox.state = 'draining';
    await new Promise<void>((resolve) => {
      this.#drains.set(mailbox, resolve);
      this.#settleDrain(mailbox);
    });
    return mailbox.frontier.position;
  }

  take(partition: number, generation: number, batch: PackedBatch): void {
    const mailbox = this.#mailboxes.get(partition);
    if (mailbox === undefined || mailbox.generation !== generation || mailbox.state !== 'open') return;
    const decodeOnly = this.#actor.prepare === undefined && this.#actor.apply === undefined;
    const sliceEnd = this.#ports.timers.now() + SLICE_MS;
    let atOnce = decodeOnly;
    let start = batch.payloadStart;
    for (let index = 0; index < batch.count; index++) {
      const sequence = mailbox.frontier.append(batch.offsets[index] as number);
      const entry = new MessageEntry(mailbox, sequence, batch, index, start);
      start += entry.weight;
      if (decodeOnly && (index & SLICE_CHECK_MASK) === SLICE_CHECK_MASK) atOnce = this.#ports.timers.now() < sliceEnd;
      if (atOnce && this.#decodeAtOnce(mailbox, entry)) continue;
      if (mailbox.add(entry)) this.#ready.push(entry);
    }
    this.#markDirty(mailbox);
    if (this.#ready.length > 0) this.#schedulePump();
  }

  /** The short way for an actor that only decodes: no queue and no map, unless the key has an earlier message under way. */
  #decodeAtOnce(mailbox: Mailbox<MessageEntry>, entry: MessageEntry): boolean {
    if (mailbox.parked.size > 0 || (mailbox.keys > 0 && mailbox.holds(entry.key))) return false;
    try {
      this.#actor.decode(entry);
    } catch (error) {
      mailbox.add(entry);
      mailbox.busy++;
      this.#fail(entry, error);
      return true;
    }
    mailbox.finished(entry);
    return true;
  }

  #schedulePump(): void {
    if (this.#pumpDue) return;
    this.#pumpDue = true;
    this.#ports.timers.soon(() => {
      this.#pumpDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    for (;;) {
      this.#beginReady();
      if (!this.#mayBeginTurn()) return;
      if (!this.#circuits.database.tryPass(this.#ports.timers.now())) return;
      const turn = this.#formTurn();
      if (turn.length === 0) this.#circuits.database.release();
      else this.#runTurn(turn);
    }
  }

  /**
   * While a turn is under way, the next one gathers, as in a group commit: a transaction costs about the same for one message as
   * for many. Turns run side by side for a backlog, or when the one under way takes long.
   */
  #mayBeginTurn(): boolean {
    const waiting = this.#applicable.length;
    if (waiting === 0 || this.#turns >= this.#limits.turnsMax) return false;
    if (this.#turns === 0 || waiting >= Math.min(BACKLOG_MESSAGES, this.#limits.turnSizeMax)) return true;
    const gatherMs = this.#lastTurnAt + GATHER_MS_MAX - this.#ports.timers.now();
    if (gatherMs <= 0) return true;
    if (!this.#gathering) {
      this.#gathering = true;
      this.#ports.timers.after(gatherMs, () => {
        this.#gathering = false;
        this.#schedulePump();
      });
    }
    return false;
  }

  /** Begins ready messages, as many as a turn can take and as may be prepared at a time. */
  #beginReady(): void {
    const { turnSizeMax, preparesMax } = this.#limits;
    const sliceEnd = this.#ports.timers.now() + SLICE_MS;
    let begun = 0;
    while (this.#ready.length > 0 && this.#applicable.length < turnSizeMax && this.#preparing < preparesMax) {
      if (this.#actor.prepare !== undefined && !this.#circuits.prepare.passable(this.#ports.timers.now())) return;
      const entry = this.#ready.shift();
      if (entry !== undefined && entry.mailbox.state === 'open') this.#begin(entry);
      if ((++begun & SLICE_CHECK_MASK) === 0 && this.#ports.timers.now() >= sliceEnd) {
        this.#schedulePump();
        return;
      }
    }
  }

  #begin(entry: MessageEntry): void {
    const { mailbox } = entry;
    mailbox.busy++;
    const parking = mailbox.parkingOf(entry);
    if (parking !== undefined) {
      this.#writeDeadLetter(entry, parking, 1);
      return;
    }
    try {
      entry.input = this.#actor.decode(entry);
    } catch (error) {
      this.#fail(entry, error);
      return;
    }
    if (entry.input === skip) this.#finish(entry);
    else if (this.#actor.prepare !== undefined) this.#prepare(entry);
    else this.#prepared(entry);
  }

  #prepare(entry: MessageEntry): void {
    const circuit = this.#circuits.prepare;
    circuit.tryPass(this.#ports.timers.now());
    this.#preparing++;
    // Through a promise, so that a `prepare` that throws before it returns one is a failure like any other.
    Promise.resolve()
      .then(() => this.#actor.prepare?.(entry.input, entry))
      .then(
        (prepared) => {
          this.#preparing--;
          this.#recovered('prepare');
          entry.prepared = prepared;
          this.#prepared(entry);
          this.#schedulePump();
        },
        (error) => {
          this.#preparing--;
          if (faultOf(error) === 'message') {
            circuit.release();
            this.#fail(entry, error);
          } else {
            this.#rest(entry);
            const wait = this.#outage('prepare', error);
            this.#again(entry, wait);
          }
          this.#schedulePump();
        },
      );
  }

  #prepared(entry: MessageEntry): void {
    if (this.#actor.apply === undefined) this.#finish(entry);
    else this.#applicable.push(entry);
  }

  /** A message that has failed before gets a turn of its own, so that it can't make the others' transaction fail again. */
  #formTurn(): MessageEntry[] {
    const turn: MessageEntry[] = [];
    while (turn.length < this.#limits.turnSizeMax) {
      const entry = this.#applicable.shift();
      if (entry === undefined) break;
      if (entry.mailbox.state === 'closed') continue;
      if (entry.failure === undefined) turn.push(entry);
      else if (turn.length === 0) return [entry];
      else {
        this.#applicable.push(entry);
        break;
      }
    }
    return turn;
  }

  #runTurn(turn: MessageEntry[]): void {
    this.#turns++;
    const startedAt = this.#ports.timers.now();
    this.#lastTurnAt = startedAt;
    runTurn(turn, this.#ports.transact).then((result) => {
      this.#turns--;
      this.#ports.observe.turn(turn.length, (this.#ports.timers.now() - startedAt) / 1_000);
      this.#turnDone(result);
      this.#schedulePump();
    });
  }

  #turnDone({ applied, failed, fenced, held, outage }: TurnResult): void {
    for (const partition of fenced) this.#fence(partition);
    for (const { entry, outputs } of applied) {
      entry.outputs = outputs;
      if (outputs.length === 0) this.#finish(entry);
      else this.#produce(entry);
    }
    for (const { entry, error } of failed) this.#fail(entry, error);
    if (outage === undefined) {
      // Poison proves as much as success does: the database answered.
      if (applied.length + failed.length > 0) this.#recovered('database');
      else this.#circuits.database.release();
      return;
    }
    this.#outage('database', outage);
    for (const entry of held) {
      if (entry.mailbox.state === 'draining') this.#rest(entry);
      else this.#applicable.push(entry);
    }
  }

  #fence(partition: number): void {
    const mailbox = this.#mailboxes.get(partition);
    if (mailbox === undefined) return;
    this.close(partition);
    this.#ports.report({ kind: 'fenced', partition, generation: mailbox.generation });
  }

  /** All outputs of a message, again if one of them failed: readers know a repeated output by its event id. */
  #produce(entry: MessageEntry): void {
    if (entry.mailbox.state === 'closed') return;
    const outputs = entry.outputs ?? [];
    let unanswered = outputs.length;
    let failure: Error | null = null;
    const done = (error: Error | null) => {
      failure ??= error;
      if (--unanswered > 0) return;
      if (failure === null) {
        this.#recovered('broker');
        this.#finish(entry);
      } else if (faultOf(failure) === 'message') this.#fail(entry, failure);
      else this.#ports.timers.after(this.#outage('broker', failure), () => this.#produce(entry));
    };
    for (const record of outputs) this.#ports.append(record, done);
  }

  #finish(entry: MessageEntry): void {
    const { mailbox } = entry;
    if (mailbox.state === 'closed') return;
    mailbox.busy--;
    const next = mailbox.finish(entry);
    if (next !== undefined) {
      this.#ready.push(next);
      this.#schedulePump();
    }
    this.#markDirty(mailbox);
    this.#settleDrain(mailbox);
  }

  #fail(entry: MessageEntry, error: unknown): void {
    if (entry.mailbox.state === 'closed') return;
    const { timers, observe } = this.#ports;
    entry.failure ??= { attempts: 0, firstFailedAt: timers.now() };
    entry.failure.attempts++;
    const { retriesMax, retryBackoffMs } = this.#limits;
    const decision = retryDecision(entry.failure.attempts, { retriesMax, backoffMs: retryBackoffMs });
    if (decision.kind === 'park') {
      this.#park(entry, parkingFor(entry, error), 1);
      return;
    }
    observe.retry();
    this.#rest(entry);
    this.#again(entry, decision.delayMs);
  }

  /** The message waits: it isn't under way, so a drain needn't wait for it. */
  #rest(entry: MessageEntry): void {
    if (entry.mailbox.state === 'closed') return;
    entry.detach();
    entry.outputs = undefined;
    entry.mailbox.busy--;
    this.#settleDrain(entry.mailbox);
  }

  #again(entry: MessageEntry, delayMs: number): void {
    this.#ports.timers.after(delayMs, () => {
      if (entry.mailbox.state !== 'open') return;
      this.#ready.push(entry);
      this.#schedulePump();
    });
  }

  /** First the key is parked durably, then its message is written to the dead-letter topic: no crash can let a follower pass. */
  #park(entry: MessageEntry, parking: Parking, attempt: number): void {
    const { mailbox } = entry;
    this.#ports.park(mailbox, entry.key, parking).then(
      (current) => {
        if (mailbox.state === 'closed') return;
        if (!current) {
          this.#fence(mailbox.partition);
          return;
        }
        this.#recovered('database');
        mailbox.parked.set(entry.key, parking);
        this.#writeDeadLetter(entry, parking, 1);
      },
      (error) => {
        this.#outage('database', error);
        this.#retryFor(attempt, () => this.#park(entry, parking, attempt + 1));
      },
    );
  }

  /** For ever: a message that is neither processed nor parked must hold the frontier. */
  #writeDeadLetter(entry: MessageEntry, parking: Parking, attempt: number): void {
    if (entry.mailbox.state === 'closed') return;
    this.#ports.append(deadLetterRecord(entry, this.#group, parking), (error) => {
      if (error === null) {
        this.#recovered('broker');
        this.#ports.observe.deadLetter(entry.offset !== parking.firstOffset);
        this.#finish(entry);
        return;
      }
      this.#outage('broker', error);
      this.#retryFor(attempt, () => this.#writeDeadLetter(entry, parking, attempt + 1));
    });
  }

  #retryFor(attempt: number, act: () => void): void {
    const { outageBackoffMs, outageBackoffMsMax } = this.#limits;
    this.#ports.timers.after(exponentialDelayMs(attempt, outageBackoffMs, outageBackoffMsMax), act);
  }

  #outage(dependency: Dependency, error: unknown): number {
    const circuit = this.#circuits[dependency];
    const wait = circuit.fail(this.#ports.timers.now(), describeError(error));
    if (circuit.outage !== undefined) this.#ports.report({ kind: 'outage', dependency, ...circuit.outage });
    this.#ports.timers.after(wait, () => {
      this.#forgetOutages();
      this.#schedulePump();
    });
    return wait;
  }

  /** With nothing left that could probe, an outage would never be seen to end: whoever comes next finds out. */
  #forgetOutages(): void {
    for (const mailbox of this.#mailboxes.values()) if (mailbox.keys > 0) return;
    for (const dependency of dependencies) this.#recovered(dependency);
  }

  #recovered(dependency: Dependency): void {
    const circuit = this.#circuits[dependency];
    const wasOpen = circuit.outage !== undefined;
    circuit.succeed();
    if (!wasOpen) return;
    this.#ports.report({ kind: 'recovered', dependency });
    this.#schedulePump();
  }

  #markDirty(mailbox: Mailbox<MessageEntry>): void {
    this.#dirty.add(mailbox);
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#ports.timers.soon(() => this.#flush());
  }

  #flush(): void {
    this.#flushDue = false;
    if (this.#dirty.size === 0) return;
    const partitions = [...this.#dirty].map((mailbox) => {
      const { partition, generation, finishedMessages: messages, finishedBytes: bytes, keys } = mailbox;
      mailbox.finishedMessages = 0;
      mailbox.finishedBytes = 0;
      const frontier = mailbox.frontier.position;
      return { partition, generation, frontier, messages, bytes, parkedKeys: mailbox.parked.size, keys };
    });
    this.#dirty.clear();
    this.#ports.report({ kind: 'progress', partitions });
  }

  #settleDrain(mailbox: Mailbox<MessageEntry>): void {
    const settle = this.#drains.get(mailbox);
    if (settle === undefined || (mailbox.state === 'draining' && mailbox.busy > 0)) return;
    this.#drains.delete(mailbox);
    settle();
  }
}
