import { beforeEach, describe, expect, test } from 'vitest';
import type { ConsumerListener, TopicPartition } from '../../kafka/consumer/consumer.ts';
import { type GroupAnswer, Membership, type MembershipCarrier } from '../../kafka/consumer/membership.ts';
import { SupersededError } from '../../kafka/errors.ts';
import { ManualTimers } from '../runtime/manual-timers.ts';

const places = (...numbers: number[]): TopicPartition[] => numbers.map((partition) => ({ topic: 'orders', partition }));
const member = async () => true;

class Carrier implements MembershipCarrier {
  readonly started: number[] = [];
  readonly ended: number[] = [];
  fails: Error | undefined;
  hangs = false;
  endHangs = false;
  answer: GroupAnswer | undefined = { state: 'Stable', assigned: places(0, 1), joinAnswered: true };

  async start(client: number): Promise<void> {
    this.started.push(client);
    if (this.fails !== undefined) throw this.fails;
    if (this.hangs) await new Promise(() => {});
  }
  async end(client: number): Promise<void> {
    this.ended.push(client);
    if (this.endHangs) await new Promise(() => {});
  }
  hold(): void {}
  fetch(): void {}
  async ask(): Promise<GroupAnswer> {
    if (this.answer === undefined) throw new Error('no answer');
    return this.answer;
  }
}

let timers: ManualTimers;
let carrier: Carrier;
let log: string[];
let told: string[];
let membership: Membership;
let drain: () => Promise<void>;

const listener: ConsumerListener = {
  onAssigned: async (partitions) => void log.push(`assigned ${partitions.length}`),
  onRevoked: async (partitions) => {
    log.push(`revoking ${partitions.length}`);
    await drain();
  },
  onLost: (partitions) => void log.push(`lost ${partitions.length}`),
  onBatch() {},
};

beforeEach(() => {
  timers = new ManualTimers();
  carrier = new Carrier();
  log = [];
  told = [];
  drain = async () => {};
  const tell = (_: object, message: string) => void told.push(message);
  membership = new Membership(carrier, listener, timers, { info: tell, warn: tell, error: tell });
});

/** Advances second by second, like the watchdog, with or without successful heartbeats and fetches. */
async function pass(seconds: number, heartbeats: boolean): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    const client = carrier.started.at(-1) ?? 0;
    if (heartbeats) membership.proven(client);
    if (heartbeats) for (const place of membership.ledger.assignment) membership.fetched(client, place);
    await timers.advance(1_000);
  }
}

async function join(): Promise<void> {
  await membership.begin();
  await membership.beforeJoin(1, member);
  membership.joined(1, places(0, 1));
  await timers.advance(0);
}

describe('a member without proof', () => {
  test('is logged after ten seconds and started again after fifteen, once each', async () => {
    await join();
    await pass(9, true);
    expect(membership.health.standing).toEqual([]);
    carrier.answer = undefined;
    const since = timers.now();
    await pass(11, false);
    expect(membership.health).toMatchObject({ state: 'assigned', standing: [{ since: expect.any(Number) }] });
    expect(Math.abs((membership.health.standing[0]?.since ?? 0) - since)).toBeLessThanOrEqual(1_000);
    await pass(5, false);
    expect(log).toEqual(['assigned 2', 'lost 2']);
    expect(carrier.started).toEqual([1, 2]);
    expect(carrier.ended).toEqual([1]);
    expect(membership.health.restarts).toBe(1);
    await membership.beforeJoin(2, member);
    membership.joined(2, places(0, 1));
    await pass(4, true);
    expect(membership.health).toMatchObject({ state: 'assigned', standing: [] });
    expect(told).toEqual(['consumer group member does not work', 'consumer group member works again']);
  });

  test('that can’t connect is reported at once, tries again, and keeps its first report', async () => {
    await join();
    carrier.fails = new Error('ECONNREFUSED');
    membership.failed(1, new Error('closed'));
    await pass(1, false);
    expect(membership.health.standing).toMatchObject([{ reason: 'ECONNREFUSED' }]);
    await pass(60, false);
    expect(carrier.started.length).toBeGreaterThan(20);
    expect(membership.health.standing).toMatchObject([{ reason: 'ECONNREFUSED' }]);
    expect(told).toEqual(['consumer group member does not work']);
  });

  test('is not taken for dead because its own process stood still', async () => {
    await join();
    await pass(3, true);
    timers.jump(120_000);
    await pass(1, true);
    expect(membership.health).toMatchObject({ state: 'assigned', restarts: 0, standing: [] });
  });

  test('whose client hangs while it connects gets another', async () => {
    await join();
    carrier.hangs = true;
    membership.failed(1, new Error('closed'));
    await pass(25, false);
    expect(carrier.started).toEqual([1, 2, 3]);
    expect(carrier.ended).toEqual([1, 2]);
  });
});

describe('a join', () => {
  beforeEach(async () => {
    await membership.begin();
    await membership.beforeJoin(1, member);
  });

  test('that the group does not wait for is given up', async () => {
    carrier.answer = { state: 'CompletingRebalance', assigned: [], joinAnswered: false };
    await pass(6, false);
    expect(carrier.started).toEqual([1, 2]);
  });

  test('that waits for other members goes on, and is logged', async () => {
    carrier.answer = { state: 'PreparingRebalance', assigned: [], joinAnswered: false };
    await pass(30, false);
    expect(carrier.started).toEqual([1]);
    expect(membership.health).toMatchObject({
      state: 'joining',
      standing: [{ reason: 'the group has not let it join yet' }],
    });
  });

  test('is given up after a time limit in any case', async () => {
    carrier.answer = undefined;
    await pass(50, false);
    expect(carrier.started).toEqual([1, 2]);
  });

  test('that fails ends the client', async () => {
    membership.failed(1, new Error('SyncGroup: connection closed'));
    await pass(1, false);
    expect(carrier.ended).toEqual([1]);
    expect(carrier.started).toEqual([1, 2]);
  });
});

test('a member that works on other partitions than the group has assigned is started again', async () => {
  await join();
  await pass(20, true);
  carrier.answer = { state: 'Stable', assigned: places(1, 2), joinAnswered: true };
  await pass(11, true);
  expect(log).toEqual(['assigned 2', 'lost 2']);
  expect(carrier.started).toEqual([1, 2]);
});

describe('a superseded client', () => {
  test('can’t join, can’t take an assignment and hands nothing over', async () => {
    await join();
    membership.failed(1, new Error('closed'));
    await pass(1, false);
    await expect(membership.beforeJoin(1, member)).rejects.toThrow(SupersededError);
    expect(() => membership.joined(1, places(0))).toThrow(SupersededError);
    await membership.beforeJoin(2, member);
    membership.joined(2, places(0));
    await timers.advance(0);
    expect(membership.takes(1, { topic: 'orders', partition: 0 })).toBe(false);
    expect(membership.takes(2, { topic: 'orders', partition: 0 })).toBe(true);
    membership.failed(1, new Error('late'));
    expect(membership.health.state).toBe('assigned');
  });

  test('does not outlive close: a join in flight is refused, and its end is seen', async () => {
    await membership.begin();
    await membership.beforeJoin(1, member);
    const closed = membership.close();
    expect(() => membership.joined(1, places(0))).toThrow(SupersededError);
    await closed;
    expect(carrier.ended).toEqual([1]);
    expect(log).toEqual([]);
    expect(membership.health.state).toBe('left');
  });

  test('and a client that is about to start is not started after close', async () => {
    await join();
    membership.failed(1, new Error('closed'));
    await membership.close();
    await pass(5, false);
    expect(carrier.started).toEqual([1]);
  });
});

test('a revocation that does not end has a deadline, in a rebalance and in a close', async () => {
  await join();
  drain = () => new Promise(() => {});
  const joining = membership.beforeJoin(1, member);
  await pass(31, true);
  await joining;
  expect(log).toEqual(['assigned 2', 'revoking 2', 'lost 2']);
  membership.joined(1, places(0, 1));
  await timers.advance(0);
  const closed = membership.close();
  await timers.advance(31_000);
  await closed;
  expect(log.slice(3)).toEqual(['assigned 2', 'revoking 2', 'lost 2']);
});
