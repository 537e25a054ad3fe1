import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deadLetterHeaders } from '../../contracts/headers.ts';
import { KafkaUnavailableError } from '../../kafka/errors.ts';
import { type Actor, OutageError, skip, UnexplainedError } from '../../runtime/actor.ts';
import type { StateCounts } from '../../runtime/slot/message-state.ts';
import { bench, limits, records } from './engine-bench.ts';
import type { ManualTimers } from './manual-timers.ts';

const noMessages: StateCounts = { ready: 0, begun: 0, applicable: 0, inTurn: 0, producing: 0, retried: 0 };

/** One of four shapes: with prepare, with apply, with both, with neither. */
function shapedActor(shape: { prepare: boolean; apply: boolean }, timers: () => ManualTimers, trace: Trace) {
  const actor: Actor<unknown, unknown> = {
    decode(message) {
      trace.begin(message.partition, message.key, message.offset);
      if (!shape.prepare && !shape.apply) trace.end(message.partition, message.key);
      return message.offset;
    },
  };
  if (shape.prepare)
    actor.prepare = async (_, message) => {
      await new Promise<void>((resolve) => timers().after((message.offset * 7) % 31, resolve));
      if (!shape.apply) trace.end(message.partition, message.key);
    };
  if (shape.apply)
    actor.apply = async (items) => {
      const keys = items.map(({ message }) => `${message.partition}/${message.key}`);
      expect(new Set(keys).size).toBe(keys.length);
      for (const { message } of items) trace.end(message.partition, message.key);
      return items.map(({ message }) => [
        { topic: 'out', key: `${message.partition}/${message.key}`, value: String(message.offset) },
      ]);
    };
  return actor;
}

/** Watches that no key has two messages in flight, and that each key sees its offsets in order. */
class Trace {
  readonly inFlight = new Map<string, number>();
  readonly seen = new Map<string, number[]>();

  begin(partition: number, key: string, offset: number): void {
    const name = `${partition}/${key}`;
    expect(this.inFlight.get(name) ?? 0).toBe(0);
    this.inFlight.set(name, 1);
    this.seen.set(name, [...(this.seen.get(name) ?? []), offset]);
  }

  end(partition: number, key: string): void {
    this.inFlight.set(`${partition}/${key}`, 0);
  }
}

test('per key serial and in order, all finish, whatever the actor and the batches', async () => {
  const partitionBatches = fc.array(
    fc.record({
      partition: fc.nat({ max: 2 }),
      keys: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 12 }),
    }),
    { maxLength: 8 },
  );
  const shape = fc.record({ prepare: fc.boolean(), apply: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(partitionBatches, shape, fc.nat({ max: 9 }), async (batches, actorShape, steps) => {
      const trace = new Trace();
      const one = bench(shapedActor(actorShape, () => one.timers, trace));
      const next = [0, 0, 0];
      const expected = new Map<string, number[]>();
      for (const partition of [0, 1, 2]) one.open(partition);
      for (const { partition, keys } of batches) {
        const sent = keys.map((key) => {
          const offset = next[partition] ?? 0;
          next[partition] = offset + 1;
          const name = `${partition}/${key}`;
          expected.set(name, [...(expected.get(name) ?? []), offset]);
          return { key, offset };
        });
        one.take(partition, sent);
        await one.timers.run(steps);
      }
      await one.timers.run();
      expect(trace.seen).toEqual(expected);
      expect(one.finished()).toBe(next.reduce((sum, count) => sum + count, 0));
      for (const [partition, frontier] of one.frontiers) expect(frontier ?? 0).toBe(next[partition]);
      expect(one.engine.counts()).toEqual(noMessages);
      if (actorShape.apply) {
        const outputs = new Map<string, number[]>();
        for (const { key, value } of one.produced)
          outputs.set(String(key), [...(outputs.get(String(key)) ?? []), Number(value)]);
        expect(outputs).toEqual(expected);
      }
    }),
    { numRuns: 150 },
  );
});

test('a slow key holds neither other keys nor later batches, and holds the frontier', async () => {
  const done: number[] = [];
  const one = bench({
    decode: ({ offset }) => offset,
    async prepare(offset) {
      if (offset === 0) await new Promise(() => {});
      done.push(Number(offset));
    },
  });
  one.open(0);
  one.take(0, records('slow', 'x', 'slow', 'y'));
  // Not to the end: a call that never returns is made again for ever.
  await one.timers.run(100);
  one.take(0, [
    { key: 'z', offset: 4 },
    { key: 'slow', offset: 5 },
    { key: 'x', offset: 6 },
  ]);
  await one.timers.run(100);
  expect(done).toEqual([1, 3, 4, 6]);
  expect(one.frontiers.get(0)).toBe(0);
  expect(one.finished()).toBe(4);
});

describe('poison', () => {
  const poisonous = (): { actor: Actor<unknown, unknown>; attempts: number[]; applied: number[] } => {
    const attempts: number[] = [];
    const applied: number[] = [];
    return {
      attempts,
      applied,
      actor: {
        decode: ({ offset }) => offset,
        async apply(items) {
          for (const { message } of items)
            if (message.key === 'bad') {
              attempts.push(message.offset);
              throw new RangeError('bad order');
            }
          for (const { message } of items) applied.push(message.offset);
          return items.map(() => []);
        },
      },
    };
  };

  test('is found by splitting its turn, retried three times, parked, and its followers behind it in order', async () => {
    const { actor, attempts, applied } = poisonous();
    const one = bench(actor);
    one.open(0);
    one.take(0, records('a', 'bad', 'b', 'bad', 'c', 'bad'));
    await one.timers.run();
    expect(applied.sort()).toEqual([0, 2, 4]);
    // Alone it failed once per attempt; before that, once for each half that it was in.
    expect(attempts.filter((offset) => offset === 1).length).toBeGreaterThanOrEqual(4);
    expect(attempts).not.toContain(3);
    expect(one.parked).toEqual(['bad']);
    expect(one.produced.map(({ topic, value, headers }) => ({ topic, value: String(value), ...headers }))).toEqual(
      [1, 3, 5].map((offset) => ({
        topic: 't.g.dlt',
        value: String(offset),
        [deadLetterHeaders.reason]: 'RangeError',
        [deadLetterHeaders.error]: 'bad order',
        [deadLetterHeaders.attempts]: '4',
        [deadLetterHeaders.topic]: 't',
        [deadLetterHeaders.partition]: '0',
        [deadLetterHeaders.offset]: String(offset),
        [deadLetterHeaders.firstFailedAt]: expect.any(String),
        [deadLetterHeaders.log]: '0',
        [deadLetterHeaders.timestamp]: '0',
        ...(offset === 1 ? {} : { [deadLetterHeaders.behind]: '1' }),
      })),
    );
    expect(one.frontiers.get(0)).toBe(6);
  });

  test('that fails to decode is retried too, in an actor that only decodes', async () => {
    const seen: string[] = [];
    const one = bench({
      decode({ key, offset }) {
        seen.push(`${key}${offset}`);
        if (key === 'bad') throw new SyntaxError('no JSON');
      },
    });
    one.open(0);
    one.take(0, records('bad', 'a', 'bad', 'b'));
    await one.timers.run();
    expect(seen).toEqual(['bad0', 'a1', 'b3', 'bad0', 'bad0', 'bad0']);
    expect(one.produced.map(({ value }) => String(value))).toEqual(['0', '2']);
    expect(one.frontiers.get(0)).toBe(4);
  });

  test('keeps the frontier for as long as its dead letter cannot be written', async () => {
    const one = bench(poisonous().actor);
    let down = true;
    one.faults.append = () => (down ? new Error('not now') : null);
    one.open(0);
    one.take(0, records('a', 'bad', 'b'));
    await one.timers.run(2_000);
    expect(one.frontiers.get(0)).toBe(1);
    expect(one.produced).toEqual([]);
    down = false;
    await one.timers.run();
    expect(one.frontiers.get(0)).toBe(3);
    expect(one.produced.length).toBe(1);
  });
});

test('an outage blames no message: the turn is repeated until it passes, and both ends are reported', async () => {
  const applied: number[] = [];
  const one = bench({
    decode: ({ offset }) => offset,
    async apply(items) {
      for (const { message } of items) applied.push(message.offset);
      return items.map(() => []);
    },
  });
  let failures = 50;
  one.faults.transact = () => (failures-- > 0 ? new OutageError('database down') : undefined);
  one.open(0);
  one.take(0, records('a', 'b', 'c', 'd', 'e', 'f'));
  await one.timers.run();
  expect(applied.sort()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(one.produced).toEqual([]);
  expect(one.reports.find(({ kind }) => kind === 'outage')).toMatchObject({ dependency: 'database' });
  expect(one.reports.findLast(({ kind }) => kind !== 'progress')).toEqual({
    kind: 'recovered',
    dependency: 'database',
  });
});

test('a provider outage is retried for ever, and while it lasts only a probe goes out at a time', async () => {
  let calls = 0;
  let down = true;
  const prepared: number[] = [];
  const one = bench({
    decode: ({ offset }) => offset,
    async prepare(offset) {
      calls++;
      if (down) throw new OutageError('provider down');
      prepared.push(Number(offset));
    },
  });
  one.open(0);
  one.take(0, records('a', 'b', 'c', 'd', 'e', 'f'));
  await one.timers.run(200);
  expect(one.frontiers.get(0)).toBe(0);
  // Three went out before the first answer; after that the back-off doubles up to a second.
  expect(calls).toBeLessThan(200);
  expect(one.produced).toEqual([]);
  down = false;
  await one.timers.run();
  expect(prepared.sort()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(one.frontiers.get(0)).toBe(6);
  const held = one.reports.filter(({ kind }) => kind === 'held');
  expect(held.length).toBeGreaterThan(1);
  expect(held.at(-1)).toMatchObject({ count: 0 });
  expect(one.reports.findLast(({ kind }) => kind !== 'progress' && kind !== 'held')).toEqual({
    kind: 'recovered',
    dependency: 'prepare',
  });
});

test('an outage that only one message meets pauses nothing: it waits and is named, the others go on', async () => {
  const finished: number[] = [];
  let strange = true;
  const one = bench({
    decode: ({ offset }) => offset,
    async prepare(offset, { key }) {
      if (key === 'strange' && strange) throw new OutageError('no answer for this order');
      finished.push(Number(offset));
    },
  });
  one.open(0);
  // The only message, as on an idle mesh.
  one.take(0, records('strange'));
  await one.timers.run(2_000);
  const outages = one.reports.filter((report) => report.kind === 'outage');
  expect(outages.length).toBeGreaterThan(0);
  expect(outages.every(({ stops }) => stops === 'one')).toBe(true);
  one.take(0, [
    { key: 'a', offset: 1 },
    { key: 'b', offset: 2 },
  ]);
  await one.timers.run(2_000);
  expect(finished.sort()).toEqual([1, 2]);
  expect(one.reports.findLast((report) => report.kind === 'held')).toMatchObject({
    count: 1,
    longest: { key: 'strange', reason: 'OutageError: no answer for this order' },
  });
  expect(one.reports.findLast(({ kind }) => kind === 'outage' || kind === 'recovered')).toMatchObject({
    kind: 'recovered',
  });
  expect(one.parked).toEqual([]);
  strange = false;
  await one.timers.run();
  expect(one.frontiers.get(0)).toBe(3);
  expect(one.reports.findLast((report) => report.kind === 'held')).toMatchObject({ count: 0 });
});

test('an outage that two messages meet pauses the partitions', async () => {
  const one = bench({
    decode: ({ offset }) => offset,
    async prepare() {
      throw new OutageError('provider down');
    },
  });
  one.open(0);
  one.take(0, records('a', 'b'));
  await one.timers.run(200);
  expect(one.reports.findLast((report) => report.kind === 'outage')).toMatchObject({ stops: 'all' });
});

test('an unexplained failure parks its message only if other messages succeed meanwhile', async () => {
  let others = 0;
  const one = bench({
    decode: ({ offset }) => offset,
    async prepare(_, { key }) {
      if (key === 'odd') throw new UnexplainedError('answer 13');
      others++;
    },
  });
  one.open(0);
  one.take(0, records('odd'));
  await one.timers.run(3_000);
  expect(one.parked).toEqual([]);
  for (let offset = 1; offset <= 400 && one.parked.length === 0; offset++) {
    one.take(0, [{ key: `good-${offset}`, offset }]);
    await one.timers.run(20);
  }
  expect(others).toBeGreaterThan(0);
  expect(one.parked).toEqual(['odd']);
});

test('a prepare that never returns is given up at its deadline and asked again; its late answer is dropped', async () => {
  const answers: (() => void)[] = [];
  let calls = 0;
  const one = bench({
    decode: ({ offset }) => offset,
    async prepare() {
      calls++;
      if (calls === 1) await new Promise<void>((resolve) => answers.push(resolve));
    },
    apply: async (items) => items.map(({ message }) => [{ topic: 'out', key: message.key, value: 'x' }]),
  });
  one.open(0);
  one.take(0, records('a'));
  await one.timers.run(500);
  expect(calls).toBe(2);
  expect(one.frontiers.get(0)).toBe(1);
  answers[0]?.();
  await one.timers.run();
  expect(one.produced).toHaveLength(1);
  expect(one.reports.some((report) => report.kind === 'held' && report.longest?.reason.includes('prepare()'))).toBe(
    true,
  );
});

test('an error that strikes some messages holds those alone, and the others of their turn are applied', async () => {
  let struck = true;
  const one = bench({
    decode: ({ offset }) => offset,
    async apply(items) {
      if (struck && items.some(({ message }) => message.key === 'bad'))
        throw Object.assign(new Error('could not read block 7'), { code: 'XX001' });
      return items.map(({ message }) => [{ topic: 'out', key: message.key, value: 'x' }]);
    },
  });
  one.open(0);
  one.take(0, records('a', 'bad', 'b', 'c', 'd', 'e', 'f', 'g'));
  await one.timers.run(3_000);
  expect(one.produced.map(({ key }) => key).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  expect(one.parked).toEqual([]);
  struck = false;
  await one.timers.run();
  expect(one.frontiers.get(0)).toBe(8);
  expect(one.parked).toEqual([]);
});

test('a parked key that was loaded parks its messages from the failed one on, not those before', async () => {
  const decoded: number[] = [];
  const one = bench({
    decode({ offset }) {
      decoded.push(offset);
    },
  });
  const parking = { firstOffset: 1, reason: 'RangeError', error: 'bad', attempts: 4, firstFailedAt: 0, applied: false };
  one.engine.open({ topic: 't', partition: 0, incarnation: 1, epoch: 2, parked: [['bad', parking]] });
  one.take(0, records('bad', 'bad', 'a', 'bad'));
  await one.timers.run();
  expect(decoded.sort()).toEqual([0, 2]);
  expect(one.produced.map(({ value }) => String(value))).toEqual(['1', '3']);
  expect(one.parked).toEqual([]);
});

test('a closed partition drops late results, and the partition opened after it starts with nothing', async () => {
  const one = bench({ decode: ({ offset }) => offset, apply: async (items) => items.map(() => []) });
  one.open(0);
  one.take(0, records('a', 'b'));
  await one.timers.run(2);
  one.engine.close(0);
  one.engine.open({ topic: 't', partition: 0, incarnation: 2, epoch: 2, parked: [] });
  await one.timers.run();
  expect(one.finished()).toBe(0);
  one.take(0, records('late'));
  await one.timers.run();
  expect(one.finished()).toBe(0);
});

test('a fenced partition drops its own messages, the others of the turn pass', async () => {
  const applied: string[] = [];
  const one = bench({
    decode: () => undefined,
    async apply(items) {
      for (const { message } of items) applied.push(`${message.partition}/${message.key}`);
      return items.map(() => []);
    },
  });
  one.open(0);
  one.open(1);
  one.fenced.add(0);
  one.take(0, records('a'));
  one.take(1, records('a'));
  await one.timers.run();
  expect(applied).toEqual(['1/a']);
  expect(one.reports).toContainEqual({ kind: 'fenced', partition: 0, incarnation: 1 });
  expect(one.frontiers.get(0) ?? 0).toBe(0);
});

test('each state of a message is counted while the message is in it', async () => {
  const one = bench({
    decode: ({ offset }) => offset,
    prepare: () => new Promise<void>((resolve) => one.timers.after(50, resolve)),
    apply: async (items) => {
      if (items.some(({ message }) => message.key === 'bad')) throw new RangeError('bad order');
      return items.map(() => [{ topic: 'out', key: 'k', value: '' }]);
    },
  });
  const states: StateCounts[] = [];
  one.open(0);
  one.take(0, records('a', 'b', 'c', 'bad', 'd', 'e'));
  states.push(one.engine.counts());
  while (await one.timers.step()) states.push(one.engine.counts());
  const most = (state: keyof StateCounts) => Math.max(...states.map((counts) => counts[state]));
  expect(most('ready')).toBe(6);
  expect(most('begun')).toBe(limits.preparesMax);
  for (const state of ['applicable', 'inTurn', 'producing'] as const) expect(most(state), state).toBeGreaterThan(0);
  expect(most('retried')).toBe(1);
  for (const counts of states)
    for (const count of Object.values(counts)) expect(count, JSON.stringify(counts)).toBeGreaterThanOrEqual(0);
  expect(states.at(-1)).toEqual(noMessages);
});

test('a drain finishes what is in flight and begins nothing else', async () => {
  const begun: number[] = [];
  const one = bench({
    decode({ offset }) {
      begun.push(offset);
    },
    apply: async (items) => items.map(() => []),
  });
  one.open(0);
  one.take(0, records('a', 'a', 'b'));
  await one.timers.run(2);
  const drained = one.engine.drain(0);
  await one.timers.run();
  expect(await drained).toBe(1);
  expect(begun).toEqual([0, 2]);
});

test('completed is called once for a message, when its effects and its outputs are durable', async () => {
  const told: string[] = [];
  let broken = true;
  const one = bench({
    decode: (message) => (message.key === 'skipped' ? skip : message.key),
    apply: async (items) => {
      if (items.some(({ input }) => input === 'poison')) throw new Error('poison');
      return items.map(({ input }) => (input === 'quiet' ? [] : [{ topic: 'out', key: String(input), value: '' }]));
    },
    completed: (input, message) => {
      const appended = one.produced.some(({ key }) => key === input);
      told.push(`${String(input)}@${message.offset}${appended ? ' produced' : ''}`);
    },
  });
  one.faults.append = () => {
    if (!broken) return null;
    broken = false;
    return new KafkaUnavailableError('no broker');
  };
  one.open(0);
  one.take(0, records('loud', 'quiet', 'skipped', 'poison'));
  await one.timers.run();
  expect(one.finished()).toBe(4);
  expect(told.toSorted()).toEqual(['loud@0 produced', 'quiet@1']);
});

test('a call without an end is given up in time when the clock is put back, and so are those that began after it', async () => {
  const calls = new Map<string, number>();
  const actor: Actor<unknown, unknown> = {
    decode: () => 0,
    prepare(_, { key }) {
      calls.set(key, (calls.get(key) ?? 0) + 1);
      return new Promise(() => {});
    },
  };
  const { timers, reports, open, take } = bench(actor);
  open(0);
  take(0, records('a'));
  await timers.advance(2_000);
  timers.setBackMs = 3_600_000;
  take(0, [{ key: 'b', offset: 1 }]);
  await timers.advance(15_000);
  expect(reports).toContainEqual(expect.objectContaining({ kind: 'held', count: 2 }));
  await timers.advance(60_000);
  expect([...calls.values()].every((count) => count > 1)).toBe(true);
});
