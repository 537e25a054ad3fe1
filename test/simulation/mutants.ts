import type { ConsumerListener, GroupConsumer } from '../../kafka/consumer/consumer.ts';
import type { PartitionView } from '../../runtime/host/runtime-view.ts';
import { Mailbox, type MailboxIdentity } from '../../runtime/slot/mailbox.ts';
import type { MessageEntry } from '../../runtime/slot/message-entry.ts';
import type { Parking } from '../../store/index.ts';
import type { ModelConsumer } from './model-consumer.ts';
import type { ReplayFlaw } from './model-dead-letters.ts';

/** A classic bug, put in from outside. The oracle must notice it. */
export interface Mutant {
  name: string;
  description: string;
  createMailbox?(identity: MailboxIdentity): Mailbox<MessageEntry>;
  wrapConsumer?(partitions: () => PartitionView[]): FlawedConsumer;
  /** False lets transactions of any epoch pass. */
  fencing?: boolean;
  replayFlaw?: ReplayFlaw;
  deafToLostSync?: boolean;
  /** The first seed of the test. A rare bug shows in one of several hundred seeds. */
  firstSeed?: number;
}

export interface FlawedConsumer {
  listener(listener: ConsumerListener, consumer: () => ModelConsumer): ConsumerListener;
  consumer(consumer: ModelConsumer): GroupConsumer;
}

export const unchanged: Mutant = { name: 'none', description: 'the code as it is' };

export const mutants: readonly Mutant[] = [
  {
    name: 'commit-highest-seen',
    description: 'commits the newest offset that was fetched instead of the frontier',
    wrapConsumer: highestSeen,
  },
  {
    name: 'commit-after-lost',
    description: 'commits the frontiers of partitions that were lost, with whatever membership the client has then',
    wrapConsumer: afterLost,
  },
  {
    name: 'overtaking-in-retry',
    description: 'begins the next message of a key while the one before waits for its retry',
    createMailbox: (identity) => new OvertakingMailbox(identity),
  },
  {
    name: 'parked-follower-overtaking',
    description: 'works on the followers of a parked message instead of parking them behind it',
    createMailbox: (identity) => new UnparkingMailbox(identity),
  },
  { name: 'missing-fence', description: 'effects and parking of an old epoch are let through', fencing: false },
  {
    name: 'replay-out-of-order',
    description: 'replays the newest parked message of a key first',
    replayFlaw: 'newest-first',
  },
  {
    name: 'release-before-followers',
    description: 'releases a key once its first message is replayed, with followers still parked',
    replayFlaw: 'early-release',
  },
  {
    name: 'replay-not-held',
    description: 'a replay has its effects although an operator has stopped it and discarded the message',
    replayFlaw: 'not-held',
    firstSeed: 601,
  },
  {
    name: 'replay-beside-live',
    description: 'replays without a place among the messages of the key',
    createMailbox: (identity) => new CrowdedMailbox(identity),
  },
  {
    name: 'lost-sync',
    description:
      'a client that loses the answer to its SyncGroup sends heartbeats, works on nothing and does not say so',
    deafToLostSync: true,
  },
];

function highestSeen(): FlawedConsumer {
  const seen = new Map<number, number>();
  return {
    listener: (listener) => ({
      ...delegating(listener),
      async onAssigned(partitions) {
        seen.clear();
        await listener.onAssigned(partitions);
      },
      onBatch(batch) {
        const last = batch.records.at(-1);
        if (last !== undefined) seen.set(batch.partition, last.offset + 1);
        listener.onBatch(batch);
      },
    }),
    consumer: (consumer) => ({
      ...operating(consumer),
      commit: (positions) =>
        consumer.commit(
          positions.map((position) => ({ ...position, offset: seen.get(position.partition) ?? position.offset })),
        ),
    }),
  };
}

function afterLost(partitions: () => PartitionView[]): FlawedConsumer {
  return {
    listener: (listener, consumer) => ({
      ...delegating(listener),
      onLost(lost) {
        const positions = new Map(
          partitions().flatMap(({ partition, frontier }) =>
            frontier === null ? [] : [[partition, frontier] as const],
          ),
        );
        listener.onLost(lost);
        if (positions.size > 0) repeatCommit(consumer(), positions, 40);
      },
    }),
    consumer: (consumer) => consumer,
  };
}

async function repeatCommit(
  consumer: ModelConsumer,
  positions: ReadonlyMap<number, number>,
  attempts: number,
): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    try {
      await consumer.commitUnchecked(positions);
      return;
    } catch {
      await consumer.pauseForRetry();
    }
  }
}

function delegating(listener: ConsumerListener): ConsumerListener {
  return {
    onAssigned: (partitions) => listener.onAssigned(partitions),
    onRevoked: (partitions) => listener.onRevoked(partitions),
    onLost: (partitions) => listener.onLost(partitions),
    onBatch: (batch) => listener.onBatch(batch),
  };
}

function operating(consumer: ModelConsumer): GroupConsumer {
  return {
    get assignment() {
      return consumer.assignment;
    },
    get health() {
      return consumer.health;
    },
    commit: (positions) => consumer.commit(positions),
    pause: (partitions) => consumer.pause(partitions),
    resume: (partitions) => consumer.resume(partitions),
    seek: (position) => consumer.seek(position),
    close: () => consumer.close(),
  };
}

class OvertakingMailbox extends Mailbox<MessageEntry> {
  readonly #newest = new Map<string, MessageEntry>();

  override add(entry: MessageEntry): boolean {
    const before = this.#newest.get(entry.key);
    this.#newest.set(entry.key, entry);
    if (before?.failure !== undefined && before.next === undefined) return true;
    return super.add(entry);
  }
}

class UnparkingMailbox extends Mailbox<MessageEntry> {
  override parkingOf(entry: MessageEntry): Parking | undefined {
    const parking = super.parkingOf(entry);
    return parking?.firstOffset === entry.offset ? parking : undefined;
  }
}

class CrowdedMailbox extends Mailbox<MessageEntry> {
  override add(entry: MessageEntry): boolean {
    return entry.replay === 'called' || super.add(entry);
  }

  override leave(): undefined {}
}
