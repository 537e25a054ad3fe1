import { exponentialDelayMs } from '../../contracts/backoff.ts';
import { settlesWithin } from '../../contracts/deadline.ts';
import type { Timers } from '../../contracts/timers.ts';
import { SupersededError } from '../errors.ts';
import type { Log } from '../log.ts';
import { textOf } from '../security/refusals.ts';
import { AssignmentLedger, keyOf, listOf } from './assignment-ledger.ts';
import type { ConsumerListener, MemberHealth, MemberState, Standing, TopicPartition } from './consumer.ts';

/** The broker drops a member whose revocation takes longer. */
export const REBALANCE_TIMEOUT_MS = 30_000;
const TICK_MS = 1_000;
/** After this long without an answer the member or partition stands. Readiness must show it within 15 s. */
const STANDING_MS = 10_000;
/** A member without proof of its membership for this long is started again. */
const UNPROVEN_MS_MAX = 15_000;
const START_MS_MAX = 20_000;
/** A join waits until every other member has revoked. */
const JOIN_MS_MAX = REBALANCE_TIMEOUT_MS + 15_000;
/** How often the group is asked what it knows about this member. */
const ASK_MS = { joining: 2_000, assigned: 5_000 };
/**
 * After this many contradicting answers in a row the member is started again. It may notice a rebalance late, so a rebalance takes more.
 */
const CONTRADICTIONS = { stable: 2, rebalancing: 4 };
/** The trouble is over when the member has worked for this long. */
const WORKS_AGAIN_MS = 2_000;
/** Marks the log line that ends a state; `ordermesh up` shows states by it. */
const ended = { state: 'ended' };
/** A throttle is over when no fetch was throttled for this long. */
const THROTTLED_MS_MAX = 60_000;
const BACKOFF_MS = { first: 250, most: 2_000 };

/** What the group's coordinator answers to `ask`. */
export interface GroupAnswer {
  /** Kafka's name of the state: Stable, PreparingRebalance, CompletingRebalance, Empty, Dead. */
  state: string;
  /** The partitions that the group has assigned to this member; undefined if the group does not know the member. */
  assigned: readonly TopicPartition[] | undefined;
  /** The coordinator has answered the JoinGroup request in flight. */
  joinAnswered: boolean;
}

/**
 * Sends the requests of a member's clients, one client at a time. Each client has a number. Reports with an old number change nothing, and
 * calls that must not continue throw `SupersededError`. kafkajs-consumer.ts implements it, and so does the simulation.
 */
export interface MembershipCarrier {
  /** Connects the client and begins its join. The membership gets the result of the join by `joined` or `failed`. */
  start(client: number): Promise<void>;
  /** Leaves the group and closes the client's connections. Always settles, within a deadline of its own. */
  end(client: number): Promise<void>;
  /** Stops fetching these assigned partitions. */
  hold(partitions: readonly TopicPartition[]): void;
  fetch(partitions: readonly TopicPartition[]): void;
  /** Rejects when the group does not answer. */
  ask(client: number): Promise<GroupAnswer>;
}

/**
 * Begins when a client has failed or nothing proves the membership; ends when the member has worked again for a while. It is logged once at
 * its begin and once at its end. The member stands all the time, so that readiness doesn't change with every attempt.
 */
interface Trouble {
  since: number;
  reason: string;
  restarts: number;
}

/**
 * One member of a consumer group, whatever client carries it. Its states: restarting (a client connects), joining, assigned, revoking,
 * leaving, left. Each state has a time limit. A watchdog looks for proof: successful heartbeats and commits prove the membership, and the
 * answers of the group prove the assignment. Without proof the member is started again with a new client.
 */
export class Membership {
  readonly ledger = new AssignmentLedger();
  readonly #carrier: MembershipCarrier;
  readonly #listener: ConsumerListener;
  readonly #timers: Timers;
  readonly #log: Log;
  #state: MemberState = 'restarting';
  #stateSince: number;
  /** Observed time in the state, and since the last proof. Time in which this process itself stood still is not counted. */
  #stateMs = 0;
  #silentMs = 0;
  #provenAt: number;
  #tickAt: number;
  #client = 0;
  #restarts = 0;
  #trouble: Trouble | undefined;
  #lastFailure: string | undefined;
  /** When a broker last throttled a fetch; undefined while no throttle is on. */
  #throttledAt: number | undefined;
  #revocation: { of: readonly TopicPartition[]; done: Promise<void> } | undefined;
  #asked: { sinceMs: number; contradictions: number } = { sinceMs: 0, contradictions: 0 };
  #askNumber = 0;
  #closed: Promise<void> | undefined;
  #cancelTick: () => void = () => {};
  #cancelStart: () => void = () => {};

  constructor(carrier: MembershipCarrier, listener: ConsumerListener, timers: Timers, log: Log) {
    this.#carrier = carrier;
    this.#listener = listener;
    this.#timers = timers;
    this.#log = log;
    const now = timers.now();
    this.#stateSince = now;
    this.#provenAt = now;
    this.#tickAt = now;
  }

  /** Starts the first client. Rejects when the client can't start. */
  async begin(): Promise<void> {
    this.#client++;
    const client = this.#client;
    try {
      await this.#carrier.start(client);
    } catch (error) {
      this.#client++;
      this.#enter('left');
      await this.#carrier.end(client);
      throw error;
    }
    if (this.#isCurrent(client) && this.#state === 'restarting') this.#enter('joining');
    if (this.#closed === undefined) this.#scheduleTick();
  }

  /**
   * Called before every join of a client, including the first. Partitions held until now are revoked if the group still counts this member;
   * otherwise they are lost.
   * @throws SupersededError when the client must not join, because another client has taken its place or the member leaves
   */
  async beforeJoin(client: number, stillMember: () => Promise<boolean>): Promise<void> {
    if (client === this.#client && this.ledger.assignment.length > 0) {
      // A member that leaves is revoking already. Its client sends heartbeats until that is done.
      if (this.#closed !== undefined || (await stillMember())) {
        if (this.#isCurrent(client)) this.#enter('revoking');
        if (client === this.#client) await this.#revokeInTime();
      } else if (this.#isCurrent(client)) this.#lose();
    }
    this.#requireCurrent(client);
    this.#enter('joining');
  }

  /** @throws SupersededError when the client must not go on */
  joined(client: number, assigned: readonly TopicPartition[]): void {
    this.#requireCurrent(client);
    this.ledger.assign(assigned, this.#timers.now());
    this.#enter('assigned');
    this.proven(client);
    if (assigned.length === 0) return;
    // Before the first fetch, so that every partition starts paused.
    this.#carrier.hold(assigned);
    this.#listener.onAssigned([...assigned]).then(
      () => {
        if (this.ledger.assignment === assigned) this.#carrier.fetch(this.ledger.open());
      },
      (error) => {
        if (this.#isCurrent(client) && this.ledger.assignment === assigned)
          this.#restart(`the assignment could not be taken: ${textOf(error)}`);
      },
    );
  }

  /** The client can't go on: its join ended without an assignment, or the client itself has ended. */
  failed(client: number, error: unknown): void {
    if (this.#isCurrent(client)) this.#restart(textOf(error));
  }

  /** The group has answered in a way that proves the membership in its present generation. */
  proven(client: number): void {
    if (client !== this.#client) return;
    this.#provenAt = this.#timers.now();
    this.#silentMs = 0;
  }

  /** A request failed, and the client repeats it. The error becomes the reason in the log if the trouble lasts. */
  stumbled(client: number, error: unknown): void {
    if (client === this.#client) this.#lastFailure = textOf(error);
  }

  /** A broker's quota forbids the next fetch for this long. Logged once. Also the reason shown for partitions that stand meanwhile. */
  throttled(client: number, forMs: number): void {
    if (client !== this.#client) return;
    for (const held of this.ledger.held())
      if (this.ledger.isFetched(held)) held.failure ??= `a quota of the broker forbids the next fetch for ${forMs} ms`;
    if (this.#throttledAt === undefined)
      this.#log.warn({ forMs }, 'a quota of the broker (consumer_byte_rate) slows down the fetches of this consumer');
    this.#throttledAt = this.#timers.now();
  }

  /** A fetch was answered for the partition. `failure`: why it brought no records although there are some. */
  fetched(client: number, partition: TopicPartition, failure?: string): void {
    if (client !== this.#client) return;
    const held = this.ledger.get(partition);
    if (held === undefined) return;
    held.failure = failure;
    if (failure !== undefined) return;
    held.silentMs = 0;
    held.fetchedAt = this.#timers.now();
    if (!held.told) return;
    held.told = false;
    this.#log.info({ topic: held.topic, partition: held.partition, ...ended }, 'partition is fetched again');
  }

  /** Whether a batch that this client has fetched may be handed over. */
  takes(client: number, partition: TopicPartition): boolean {
    return client === this.#client && this.ledger.takes(partition);
  }

  /** Whether the client should fetch the partition: it is ready and not paused. */
  isFetched(client: number, partition: TopicPartition): boolean {
    return client === this.#client && this.ledger.isFetched(partition);
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.ledger.pause(partitions);
    this.#carrier.hold(partitions);
  }

  resume(partitions: readonly TopicPartition[]): void {
    const now = this.ledger.resume(partitions);
    if (now.length > 0) this.#carrier.fetch(now);
  }

  /** Revokes and leaves; each has a time limit. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  get health(): MemberHealth {
    return {
      state: this.#state,
      since: this.#stateSince,
      provenAt: this.#provenAt,
      restarts: this.#restarts,
      standing: this.#standing(),
    };
  }

  async #close(): Promise<void> {
    // `close` must have its promise first, because the calls below may ask whether this member leaves.
    await Promise.resolve();
    const client = this.#client;
    const hadLeft = this.#state === 'left';
    this.#cancelStart();
    this.#cancelTick();
    if (hadLeft) return;
    this.#enter('leaving');
    try {
      if (this.ledger.assignment.length > 0) await this.#revokeInTime();
    } finally {
      this.#client++;
      await this.#carrier.end(client);
      this.#enter('left');
    }
  }

  #isCurrent(client: number): boolean {
    return client === this.#client && this.#closed === undefined;
  }

  #requireCurrent(client: number): void {
    if (!this.#isCurrent(client))
      throw new SupersededError(this.#closed === undefined ? 'a newer client is this member' : 'this member leaves');
  }

  #enter(state: MemberState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#stateSince = this.#timers.now();
    this.#stateMs = 0;
    this.#asked = { sinceMs: 0, contradictions: 0 };
    this.#askNumber++;
  }

  #restart(reason: string): void {
    const client = this.#client;
    const delayMs = exponentialDelayMs((this.#trouble?.restarts ?? 0) + 1, BACKOFF_MS.first, BACKOFF_MS.most);
    this.#client++;
    this.#restarts++;
    this.#begin(reason);
    if (this.#trouble !== undefined) this.#trouble.restarts++;
    this.#enter('restarting');
    this.#lose();
    // Not awaited: the end of the old client has a time limit of its own, and the new client doesn't depend on it.
    this.#carrier.end(client);
    this.#scheduleStart(delayMs);
  }

  #scheduleStart(delayMs: number): void {
    this.#cancelStart = this.#timers.after(delayMs, () => {
      if (this.#closed !== undefined) return;
      const client = this.#client;
      this.#stateMs = 0;
      this.#carrier.start(client).then(
        () => {
          if (this.#isCurrent(client) && this.#state === 'restarting') this.#enter('joining');
        },
        (error) => {
          if (this.#isCurrent(client)) this.#restart(textOf(error));
        },
      );
    });
  }

  #begin(reason: string): void {
    if (this.#trouble !== undefined) {
      this.#trouble.reason = reason;
      return;
    }
    this.#trouble = { since: this.#provenAt, reason, restarts: 0 };
    this.#log.error({ reason, state: this.#state }, 'consumer group member does not work');
  }

  #revokeInTime(): Promise<void> {
    const revoking = this.#revoke();
    const { assignment } = this.ledger;
    return settlesWithin(this.#timers, REBALANCE_TIMEOUT_MS, revoking).then((inTime) => {
      if (inTime || this.ledger.assignment !== assignment) return;
      this.#log.error({ partitions: listOf(assignment) }, 'partitions were not given up in time; they are lost');
      this.#lose();
    });
  }

  /**
   * Once for each assignment. A close may come during the revocation of a rebalance, and a rebalance during the revocation of an assignment
   * that is lost by now.
   */
  #revoke(): Promise<void> {
    const { assignment } = this.ledger;
    if (this.#revocation?.of !== assignment) this.#revocation = { of: assignment, done: this.#revokeOnce(assignment) };
    return this.#revocation.done;
  }

  async #revokeOnce(revoked: readonly TopicPartition[]): Promise<void> {
    try {
      await this.#listener.onRevoked([...revoked]);
    } catch (error) {
      this.#log.error(
        { partitions: listOf(revoked), reason: textOf(error) },
        'partitions could not be given up in order',
      );
    }
    if (this.ledger.assignment === revoked) this.ledger.assign([], this.#timers.now());
  }

  #lose(): void {
    const lost = this.ledger.assignment;
    this.ledger.assign([], this.#timers.now());
    if (lost.length > 0) this.#listener.onLost([...lost]);
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#timers.after(TICK_MS, () => {
      if (this.#closed !== undefined) return;
      this.#scheduleTick();
      this.#tick();
    });
  }

  #tick(): void {
    const now = this.#timers.now();
    // A late tick shows that this process stood still, so the time says nothing about the brokers.
    const elapsed = Math.min(Math.max(now - this.#tickAt, 0), 2 * TICK_MS);
    this.#tickAt = now;
    this.#stateMs += elapsed;
    this.#silentMs += elapsed;
    this.#asked.sinceMs += elapsed;
    this.#watchPartitions(elapsed, now);
    if (this.#throttledAt !== undefined && Math.abs(now - this.#throttledAt) > THROTTLED_MS_MAX) {
      this.#throttledAt = undefined;
      this.#log.info(ended, 'no quota of the broker slows down the fetches of this consumer any more');
    }
    if (this.#state !== 'revoking' && this.#silentMs >= STANDING_MS && this.#trouble === undefined)
      this.#begin(this.#silence());
    if (this.#state === 'assigned' && this.#silentMs < 2 * TICK_MS && this.#stateMs >= WORKS_AGAIN_MS) this.#end();
    switch (this.#state) {
      case 'restarting':
        if (this.#stateMs >= START_MS_MAX) this.#restart('the brokers do not answer a new client');
        return;
      case 'joining':
        if (this.#stateMs >= JOIN_MS_MAX) this.#restart(`its join had no answer for ${JOIN_MS_MAX / 1_000} s`);
        else if (this.#asked.sinceMs >= ASK_MS.joining) this.#ask();
        return;
      case 'assigned':
        if (this.#silentMs >= UNPROVEN_MS_MAX) this.#restart(this.#silence());
        else if (this.#asked.sinceMs >= ASK_MS.assigned) this.#ask();
        return;
      default:
        return;
    }
  }

  #silence(): string {
    if (this.#state === 'joining') return 'the group has not let it join yet';
    const last = this.#lastFailure === undefined ? '' : `; the last failure: ${this.#lastFailure}`;
    return `the group does not answer its heartbeats${last}`;
  }

  #end(): void {
    if (this.#trouble === undefined) return;
    const { since, restarts } = this.#trouble;
    this.#trouble = undefined;
    this.#lastFailure = undefined;
    this.#log.info({ forMs: this.#timers.now() - since, restarts, ...ended }, 'consumer group member works again');
  }

  #watchPartitions(elapsed: number, now: number): void {
    for (const held of this.ledger.held()) {
      if (!this.ledger.isFetched(held)) {
        held.silentMs = 0;
        held.fetchedAt = now;
        continue;
      }
      // If nothing answers at all, the member stands, not the partition.
      if (held.failure === undefined && this.#silentMs > 2 * TICK_MS) continue;
      held.silentMs += elapsed;
      if (held.silentMs < STANDING_MS || held.told) continue;
      held.told = true;
      const { topic, partition } = held;
      this.#log.error({ topic, partition, reason: reasonOf(held.failure) }, 'partition stands');
    }
  }

  #standing(): Standing[] {
    const trouble = this.#trouble;
    if (trouble !== undefined) return [{ reason: trouble.reason, since: trouble.since }];
    return [...this.ledger.held()]
      .filter(({ silentMs }) => silentMs >= STANDING_MS)
      .map(({ topic, partition, failure, fetchedAt }) => ({
        partition: { topic, partition },
        reason: reasonOf(failure),
        since: fetchedAt,
      }));
  }

  #ask(): void {
    const client = this.#client;
    const number = ++this.#askNumber;
    this.#asked.sinceMs = 0;
    const { assignment } = this.ledger;
    this.#carrier.ask(client).then(
      (answer) => {
        if (!this.#isCurrent(client) || number !== this.#askNumber || assignment !== this.ledger.assignment) return;
        this.#judge(answer, assignment);
      },
      // A question without an answer is no contradiction, because silence has a limit of its own. The error may become the reason in the
      // log.
      (error) => this.stumbled(client, error),
    );
  }

  #judge({ state, assigned, joinAnswered }: GroupAnswer, own: readonly TopicPartition[]): void {
    const rebalancing = state === 'PreparingRebalance' || state === 'CompletingRebalance';
    let contradiction: string | undefined;
    if (this.#state === 'joining') {
      const waited = state === 'PreparingRebalance' || (state === 'CompletingRebalance' && joinAnswered);
      if (!waited) contradiction = `the group is ${state} and does not wait for its join`;
    } else if (rebalancing) contradiction = `the group is ${state} and this member has not noticed`;
    else if (assigned === undefined) contradiction = `the group is ${state} and does not know this member`;
    else if (!isSame(assigned, own))
      contradiction = `the group has assigned ${listOf(assigned)} to this member, which works on ${listOf(own)}`;
    if (contradiction === undefined) {
      this.#asked.contradictions = 0;
      if (this.#state === 'assigned') this.proven(this.#client);
      return;
    }
    this.#asked.contradictions++;
    const most = rebalancing && this.#state === 'assigned' ? CONTRADICTIONS.rebalancing : CONTRADICTIONS.stable;
    if (this.#asked.contradictions >= most) this.#restart(contradiction);
  }
}

function isSame(some: readonly TopicPartition[], others: readonly TopicPartition[]): boolean {
  const keys = new Set(some.map(keyOf));
  return some.length === others.length && others.every((partition) => keys.has(keyOf(partition)));
}

function reasonOf(failure: string | undefined): string {
  return failure ?? 'no fetch answers for it';
}
