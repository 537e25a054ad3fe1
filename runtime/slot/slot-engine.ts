// The engine of a slot. slot-thread.ts gives it batches and asks it to drain; the engine calls the actor.

import type { Parking } from '../../store/index.ts';
import { stage } from '../../telemetry/stages/stage.ts';
import { type Actor, skip } from '../actor.ts';
import { retryDecision } from '../retry.ts';
import type { PackedBatch } from '../wire/batch-codec.ts';
import type { SlotLimits } from '../wire/slot-protocol.ts';
import { KeyParking } from './dead-letters/key-parking.ts';
import { KeyReplays } from './dead-letters/key-replays.ts';
import type { EnginePorts } from './engine-ports.ts';
import { Mailbox, type MailboxIdentity } from './mailbox.ts';
import { MessageEntry } from './message-entry.ts';
import type { StateCounts } from './message-state.ts';
import { OutputProducer } from './output-producer.ts';
import { Preparation } from './prepare/preparation.ts';
import { ProgressReporter } from './progress-reporter.ts';
import { RetriedFirst } from './ready-queue.ts';
import { SlotOutages } from './slot-outages.ts';
import { runTurn, type TurnResult } from './turn.ts';
import { TurnScheduler } from './turn-scheduling.ts';

/** After this long the engine lets other events of the thread (a drain, a report) run, although messages are ready. */
const SLICE_MS = 20;
/** The clock is read at every 32nd message. */
const SLICE_CHECK_MASK = 31;

/**
 * The scheduler of one slot: takes batches in, keeps at most one message of a key in flight, forms turns over all partitions of the slot,
 * and reports what is finished. It owns no clock, socket or timer: they come in through its ports, so the simulation runs this class.
 * The diagram in message-state.ts shows the steps of a message and which method makes each of them.
 */
export class SlotEngine {
  readonly #actor: Actor<unknown, unknown>;
  readonly #createMailbox: (identity: MailboxIdentity) => Mailbox<MessageEntry>;
  readonly #limits: SlotLimits;
  readonly #ports: EnginePorts;
  readonly #mailboxes = new Map<number, Mailbox<MessageEntry>>();
  readonly #ready = new RetriedFirst<MessageEntry>();
  readonly #turns: TurnScheduler;
  readonly #outages: SlotOutages;
  readonly #preparation: Preparation;
  readonly #outputs: OutputProducer;
  readonly #parking: KeyParking;
  readonly #replays: KeyReplays;
  readonly #progress: ProgressReporter;
  readonly #drains = new Map<Mailbox<MessageEntry>, () => void>();
  #pumpDue = false;
  /** Messages that the pump has decoded since it began. */
  #decoded = 0;
  /** Messages that wait for the end of a back-off. */
  #retried = 0;

  /** @param createMailbox lets a simulation put flawed mailboxes in, to see that it notices them. */
  constructor(
    actor: Actor<unknown, unknown>,
    group: string,
    limits: SlotLimits,
    ports: EnginePorts,
    createMailbox: (identity: MailboxIdentity) => Mailbox<MessageEntry> = (identity) => new Mailbox(identity),
  ) {
    this.#actor = actor;
    this.#createMailbox = createMailbox;
    this.#limits = limits;
    this.#ports = ports;
    const wake = () => this.#schedulePump();
    this.#turns = new TurnScheduler(limits, ports.timers, wake);
    this.#outages = new SlotOutages(limits, ports, {
      idle: () => this.#idle(),
      overtakesPrepare: () => actor.prepareAtOnce !== undefined,
      wake,
    });
    const failed = (entry: MessageEntry, error: unknown) => this.#fail(entry, error);
    this.#preparation = new Preparation(actor, limits, ports, this.#outages, {
      prepared: (entry) => this.#prepared(entry),
      failed,
      postponed: (entry, waitMs) => this.#postpone(entry, waitMs),
      wake,
    });
    this.#outputs = new OutputProducer(ports, this.#outages, { produced: (entry) => this.#complete(entry), failed });
    this.#parking = new KeyParking(group, limits, ports, this.#outages, {
      parked: () => this.#replays.watch(),
      finish: (entry) => this.#finish(entry),
      fence: (partition) => this.#fence(partition),
    });
    this.#replays = new KeyReplays(limits, ports, this.#outages, {
      mailboxes: () => this.#mailboxes.values(),
      enqueue: (entry) => this.#enqueue(entry),
      work: (entry) => this.#workSoon(entry),
      leave: (entry) => this.#passOn(entry, entry.mailbox.leave(entry)),
      fence: (partition) => this.#fence(partition),
    });
    this.#progress = new ProgressReporter(ports);
  }

  /** Opens a partition. If the slot has the partition open already, it is closed first. */
  open(identity: MailboxIdentity): void {
    this.close(identity.partition);
    const mailbox = this.#createMailbox(identity);
    this.#mailboxes.set(identity.partition, mailbox);
    if (mailbox.parked.size > 0) this.#replays.watch();
  }

  /** For the debug view. May include a few messages of partitions that were closed a moment ago. */
  counts(): StateCounts {
    return {
      ready: this.#ready.length + this.#preparation.waiting,
      begun: this.#preparation.inFlight,
      applicable: this.#turns.waiting,
      inTurn: this.#turns.messagesInTurns,
      producing: this.#outputs.producing,
      retried: this.#retried,
    };
  }

  /** The calls of `prepare`, for metrics; undefined for an actor that makes none. */
  get prepares(): { limit: number; inFlight: number; waiting: number } | undefined {
    const { exists, limit, inFlight, waiting } = this.#preparation;
    return exists ? { limit, inFlight, waiting } : undefined;
  }

  /** The keys that are parked now, for the debug view. */
  *parked(): Iterable<[partition: number, key: string, parking: Parking]> {
    for (const { partition, parked } of this.#mailboxes.values())
      for (const [key, parking] of parked) yield [partition, key, parking];
  }

  /** Forgets a partition: none of its messages begins any more, and the result of a message in flight is dropped when it arrives. */
  close(partition: number): void {
    const mailbox = this.#mailboxes.get(partition);
    if (mailbox === undefined) return;
    this.#mailboxes.delete(partition);
    this.#progress.forget(mailbox);
    this.#outages.held.forget(mailbox);
    this.#preparation.forget(mailbox);
    mailbox.close();
    this.#settleDrain(mailbox);
    this.#outages.forgetWhenIdle();
  }

  /**
   * Begins no further message of the partition, and resolves when the messages in work are finished.
   * @returns the frontier that may be committed then; undefined when there is none
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

  take(partition: number, incarnation: number, batch: PackedBatch): void {
    const mailbox = this.#mailboxes.get(partition);
    if (mailbox === undefined || mailbox.incarnation !== incarnation || mailbox.state !== 'open') return;
    const decodeOnly = this.#actor.prepare === undefined && this.#actor.apply === undefined;
    const sliceEnd = this.#ports.timers.now() + SLICE_MS;
    mailbox.arrivedAt(batch.offsets[0] ?? 0);
    // While earlier messages wait, later ones wait too: finishing them first would not move the frontier.
    let atOnce = decodeOnly && this.#ready.length === 0;
    let decoded = 0;
    // One stage for the whole batch: two looks at the clock per message would cost more than what they tell apart.
    const { stages } = this.#ports;
    const before = stages.enter(atOnce ? stage.decode : stage.schedule);
    let start = batch.payloadStart;
    for (let index = 0; index < batch.count; index++) {
      const sequence = mailbox.frontier.append(batch.offsets[index] as number);
      const entry = new MessageEntry(mailbox, sequence, batch, index, start);
      start += entry.weight;
      if (atOnce && (index & SLICE_CHECK_MASK) === SLICE_CHECK_MASK) atOnce = this.#ports.timers.now() < sliceEnd;
      if (atOnce && this.#decodeAtOnce(mailbox, entry)) {
        decoded++;
        continue;
      }
      if (mailbox.add(entry)) this.#ready.push(entry);
    }
    this.#progress.moved(mailbox);
    if (this.#ready.length > 0) this.#schedulePump();
    stages.passed(stage.schedule, batch.count);
    if (decoded > 0) stages.passed(stage.decode, decoded);
    stages.leave(before);
  }

  /**
   * The fast path for an actor that only decodes: it uses no queue and no map.
   * @returns false when the message must go the long way, because its key has an earlier message in flight or may be parked or settled.
   */
  #decodeAtOnce(mailbox: Mailbox<MessageEntry>, entry: MessageEntry): boolean {
    if (mailbox.diverts || (mailbox.keys > 0 && mailbox.holds(entry.key))) return false;
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

  #enqueue(entry: MessageEntry): void {
    if (!entry.mailbox.add(entry)) return;
    this.#ready.push(entry);
    this.#schedulePump();
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
    const { stages } = this.#ports;
    const before = stages.enter(stage.schedule);
    for (;;) {
      this.#beginReady();
      if (!this.#turns.mayBegin()) break;
      const { database } = this.#outages.circuits;
      if (!database.tryPass(this.#ports.timers.now())) break;
      const turn = this.#turns.form();
      if (turn.length === 0) database.release();
      else this.#runTurn(turn);
    }
    stages.leave(before);
  }

  /** Begins ready messages: as many as the next turn can take and `prepare` allows. */
  #beginReady(): void {
    if (this.#ready.length + this.#preparation.waiting === 0) return;
    const { stages } = this.#ports;
    const before = stages.enter(stage.decode);
    this.#decoded = 0;
    this.#beginSlice();
    if (this.#decoded > 0) stages.passed(stage.decode, this.#decoded);
    stages.leave(before);
  }

  #beginSlice(): void {
    const { turnSizeMax } = this.#limits;
    const sliceEnd = this.#ports.timers.now() + SLICE_MS;
    let begun = 0;
    while (this.#turns.waiting < turnSizeMax) {
      const entry = this.#preparation.next() ?? (this.#preparation.mayLook() ? this.#ready.shift() : undefined);
      if (entry === undefined) return;
      if (entry.mailbox.state === 'open') this.#begin(entry);
      if ((++begun & SLICE_CHECK_MASK) === 0 && this.#ports.timers.now() >= sliceEnd) {
        this.#schedulePump();
        return;
      }
    }
  }

  #begin(entry: MessageEntry): void {
    const { mailbox } = entry;
    mailbox.busy++;
    const parking = entry.replay === undefined ? mailbox.parkingOf(entry) : undefined;
    if (entry.replay === 'called') this.#replays.begin(entry);
    else if (entry.replay === undefined && mailbox.isSettled(entry)) this.#finish(entry);
    else if (parking !== undefined) this.#parking.writeDeadLetter(entry, parking);
    else this.#work(entry);
  }

  /** A replayed message has just been loaded. It queues up behind the ready messages, so that bounds and circuits hold for it as well. */
  #workSoon(entry: MessageEntry): void {
    this.#rest(entry);
    this.#ready.push(entry);
    this.#schedulePump();
  }

  #work(entry: MessageEntry): void {
    this.#decoded++;
    const preparation = this.#preparation;
    try {
      entry.input = this.#actor.decode(entry);
      entry.prepared = entry.input === skip ? undefined : preparation.atOnce(entry);
    } catch (error) {
      this.#fail(entry, error);
      return;
    }
    if (entry.input === skip) this.#finish(entry);
    else if (!preparation.exists || entry.prepared !== undefined) this.#prepared(entry);
    else if (preparation.mayBegin()) preparation.begin(entry);
    else {
      this.#rest(entry);
      preparation.wait(entry);
    }
  }

  #prepared(entry: MessageEntry): void {
    if (this.#actor.apply === undefined) this.#finish(entry);
    else this.#turns.push(entry);
  }

  #runTurn(turn: MessageEntry[]): void {
    const begunAt = this.#turns.begun(turn.length);
    const { stages } = this.#ports;
    const sentAt = stages.now();
    runTurn(turn, this.#ports.transact).then((result) => {
      const before = stages.enter(stage.schedule);
      stages.waited(stage.store, stages.now() - sentAt);
      if (result.applied.length > 0) stages.passed(stage.store, result.applied.length);
      this.#turns.ended(turn.length);
      this.#ports.observe.turn(turn.length, (this.#ports.timers.now() - begunAt) / 1_000);
      this.#turnDone(result, begunAt);
      this.#schedulePump();
      stages.leave(before);
    });
  }

  #turnDone({ applied, failed, withdrawn, fenced, held, outage }: TurnResult, beganAt: number): void {
    for (const partition of fenced) this.#fence(partition);
    for (const { entry, outputs } of applied) {
      if (entry.waiting !== undefined) this.#outages.through(entry, 'database');
      entry.outputs = outputs;
      if (outputs.length === 0) this.#complete(entry);
      else this.#outputs.produce(entry);
    }
    for (const { entry, error } of failed) this.#fail(entry, error);
    for (const entry of withdrawn) if (entry.mailbox.state !== 'closed') this.#replays.withdrawn(entry);
    if (outage === undefined) {
      // A failed message also proves that the database answers.
      if (applied.length + failed.length + withdrawn.length > 0) this.#outages.recovered('database');
      else this.#outages.circuits.database.release();
      return;
    }
    // The database has answered for other messages of the turn, so the outage concerns the held messages alone.
    const alone = applied.length + failed.length + withdrawn.length > 0;
    if (alone) this.#outages.recovered('database');
    const [first] = held;
    if (first !== undefined && (alone || held.length === 1)) {
      for (const entry of held)
        this.#postpone(entry, this.#outages.failed('database', outage, { entry, alone, beganAt }));
      return;
    }
    this.#outages.failed('database', outage);
    for (const entry of held) {
      if (entry.mailbox.state === 'draining') this.#rest(entry);
      else this.#turns.push(entry);
    }
  }

  #fence(partition: number): void {
    const mailbox = this.#mailboxes.get(partition);
    if (mailbox === undefined) return;
    this.close(partition);
    this.#ports.report({ kind: 'fenced', partition, incarnation: mailbox.incarnation });
  }

  /** Effects and outputs of the message are durable now. */
  #complete(entry: MessageEntry): void {
    this.#ports.stages.at(stage.schedule);
    this.#actor.completed?.(entry.input, entry);
    this.#finish(entry);
  }

  #finish(entry: MessageEntry): void {
    const { mailbox } = entry;
    if (mailbox.state === 'closed') return;
    this.#outages.through(entry);
    if (entry.replay === undefined) this.#passOn(entry, mailbox.finish(entry));
    else this.#replays.done(entry);
  }

  /** The message has left the chain of its key, and the next one is ready. */
  #passOn({ mailbox }: MessageEntry, next: MessageEntry | undefined): void {
    mailbox.busy--;
    if (next !== undefined) {
      this.#ready.push(next);
      this.#schedulePump();
    }
    this.#progress.moved(mailbox);
    // The last message may have been parked, which does not prove that an outage is over.
    if (mailbox.keys === 0 && this.#outages.any) this.#outages.forgetWhenIdle();
    this.#settleDrain(mailbox);
  }

  #fail(entry: MessageEntry, error: unknown): void {
    if (entry.mailbox.state === 'closed') return;
    const { timers, observe } = this.#ports;
    entry.failure ??= { attempts: 0, firstFailedAt: timers.now(), applied: false };
    entry.failure.attempts++;
    entry.failure.applied ||= entry.outputs !== undefined;
    const { retriesMax, retryBackoffMs } = this.#limits;
    const decision = retryDecision(entry.failure.attempts, { retriesMax, backoffMs: retryBackoffMs });
    if (decision.kind === 'park') {
      this.#outages.through(entry);
      if (entry.replay === undefined) this.#parking.park(entry, error);
      else this.#replays.failed(entry, error);
      return;
    }
    observe.retry();
    this.#rest(entry);
    this.#again(entry, decision.delayMs);
  }

  /** The message waits for a retry. It no longer counts as busy, so a drain does not wait for it. */
  #rest(entry: MessageEntry): void {
    if (entry.mailbox.state === 'closed') return;
    entry.detach();
    entry.outputs = undefined;
    entry.mailbox.busy--;
    this.#settleDrain(entry.mailbox);
  }

  /** Tries the message again from the beginning after `waitMs`, when what it needs may be back. */
  #postpone(entry: MessageEntry, waitMs: number): void {
    this.#rest(entry);
    this.#again(entry, waitMs);
  }

  #again(entry: MessageEntry, delayMs: number): void {
    this.#retried++;
    this.#ports.timers.after(delayMs, () => {
      this.#retried--;
      if (entry.mailbox.state !== 'open') return;
      this.#ready.push(entry, true);
      this.#schedulePump();
    });
  }

  #idle(): boolean {
    for (const mailbox of this.#mailboxes.values()) if (mailbox.keys > 0) return false;
    return true;
  }

  #settleDrain(mailbox: Mailbox<MessageEntry>): void {
    const settle = this.#drains.get(mailbox);
    if (settle === undefined || (mailbox.state === 'draining' && mailbox.busy > 0)) return;
    this.#drains.delete(mailbox);
    settle();
  }
}
