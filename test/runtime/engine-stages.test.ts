import { expect, test } from 'vitest';
import type { Actor } from '../../runtime/actor.ts';
import { SlotEngine } from '../../runtime/slot/slot-engine.ts';
import { PackedBatch, packBatch } from '../../runtime/wire/batch-codec.ts';
import type { SlotLimits } from '../../runtime/wire/slot-protocol.ts';
import { StageClock } from '../../telemetry/stages/stage-clock.ts';
import { ManualTimers } from './manual-timers.ts';

const limits: SlotLimits = {
  turnSizeMax: 4,
  turnsMax: 2,
  preparesMax: 3,
  retriesMax: 1,
  retryBackoffMs: 100,
  outageBackoffMs: 10,
  outageBackoffMsMax: 1_000,
  prepareMsMax: 60_000,
  produceDeadlineMs: 1_000,
};

const TURN_MS = 40;
const APPEND_MS = 3;
const PREPARE_MS = 20;
/** What the parts of the actor compute for, in milliseconds. */
const work = { decode: 7, prepare: 5, append: 11, completed: 13 };

/** An engine whose busy time is what `compute` says, beside the manual time of its waits. */
function bench(shape: { prepare?: boolean; apply?: boolean }) {
  const timers = new ManualTimers();
  let computedMs = 0;
  const compute = (ms: number) => {
    computedMs += ms;
  };
  const stages = new StageClock({ now: () => timers.now() + computedMs });
  const actor: Actor<unknown, unknown> = {
    decode(message) {
      compute(work.decode);
      if (message.value?.toString() === 'poison') throw new Error('poison');
      return message.offset;
    },
    completed: () => compute(work.completed),
  };
  if (shape.prepare === true)
    actor.prepare = async () => {
      compute(work.prepare);
      await new Promise<void>((resolve) => timers.after(PREPARE_MS, resolve));
    };
  if (shape.apply === true) actor.apply = async () => [];
  let appended = 0;
  const engine = new SlotEngine(actor, 'g', limits, {
    timers,
    async transact(entries) {
      await new Promise<void>((resolve) => timers.after(TURN_MS, resolve));
      return {
        fenced: new Set(),
        outputs: entries.map((entry) => [{ topic: 'out', key: entry.key, value: 'output' }]),
      };
    },
    append(_, done) {
      compute(work.append);
      appended++;
      timers.after(APPEND_MS, () => done(null));
    },
    park: async () => true,
    report() {},
    onParked() {},
    observe: { turn() {}, retry() {}, deadLetter() {} },
    stages,
  });
  engine.open({ topic: 't', partition: 0, incarnation: 1, epoch: 1, parked: [] });
  const take = (values: string[]) =>
    engine.take(
      0,
      1,
      new PackedBatch(
        packBatch(
          values.map((value, offset) => ({
            offset,
            timestamp: 0,
            key: Buffer.from(`key-${offset}`),
            value: Buffer.from(value),
            headers: {},
          })),
        ).buffer,
      ),
    );
  const totals = () => Object.fromEntries(stages.totals().map(({ stage, ...total }) => [stage, total]));
  return { timers, take, totals, computed: () => computedMs, appended: () => appended };
}

const MESSAGES = 10;
const values = Array.from({ length: MESSAGES }, () => 'good');

test('the stages of an engine add up to all that it computed, each message in each stage once', async () => {
  const { timers, take, totals, computed, appended } = bench({ prepare: true, apply: true });
  take(values);
  await timers.run();
  const { schedule, decode, prepare, store, produce, ...others } = totals();
  expect(others).toEqual({});
  expect(appended()).toBe(MESSAGES);
  const ofStages = { schedule, decode, prepare, store };
  for (const [name, total] of Object.entries(ofStages)) expect(total?.messages, name).toBe(MESSAGES);
  expect(decode?.busySeconds).toBeCloseTo((MESSAGES * work.decode) / 1_000, 9);
  expect(prepare?.busySeconds).toBeCloseTo((MESSAGES * work.prepare) / 1_000, 9);
  expect(produce?.busySeconds).toBeCloseTo((MESSAGES * work.append) / 1_000, 9);
  expect(schedule?.busySeconds).toBeCloseTo((MESSAGES * work.completed) / 1_000, 9);
  const sum = Object.values(totals()).reduce((total, { busySeconds }) => total + busySeconds, 0);
  expect(sum).toBeCloseTo(computed() / 1_000, 9);
});

test('waiting is told apart from busy time, once for each turn', async () => {
  const { timers, take, totals } = bench({ apply: true });
  // One turn: as many messages as fit in it.
  take(values.slice(0, limits.turnSizeMax));
  await timers.run();
  const { store, decode } = totals();
  expect(store).toMatchObject({ busySeconds: 0, waits: 1, operations: 1, messages: limits.turnSizeMax });
  expect(store?.waitSeconds).toBeCloseTo(TURN_MS / 1_000, 9);
  expect(decode).toMatchObject({ waits: 0, waitSeconds: 0 });
});

test('an actor that only decodes has one decode stage for a whole batch', async () => {
  const { timers, take, totals } = bench({});
  take(values);
  await timers.run();
  const { decode, schedule, ...others } = totals();
  expect(others).toEqual({});
  expect(decode).toMatchObject({ messages: MESSAGES, operations: 1 });
  expect(decode?.busySeconds).toBeCloseTo((MESSAGES * work.decode) / 1_000, 9);
  expect(schedule).toMatchObject({ messages: MESSAGES, busySeconds: 0 });
});

test('a decode that throws leaves its stage like any other', async () => {
  const { timers, take, totals } = bench({ apply: true });
  take(['poison', 'good']);
  await timers.run();
  const { decode } = totals();
  // The poison was decoded twice: once, and once again after its back-off.
  expect(decode?.messages).toBe(3);
  expect(decode?.busySeconds).toBeCloseTo((3 * work.decode) / 1_000, 9);
});
