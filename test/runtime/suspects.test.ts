import { expect, test } from 'vitest';
import type { Actor, Item, Message } from '../../runtime/actor.ts';
import { watched } from '../../runtime/slot/actor/watched-actor.ts';
import { Pulse } from '../../runtime/wire/pulse.ts';
import {
  DeadlyMessageError,
  SlotSuspects,
  type Suspect,
  type SuspectNews,
  SuspectRecord,
} from '../../runtime/wire/suspects.ts';
import { ManualTimers } from './manual-timers.ts';

const place = (offset: number) => ({ partition: 2, offset });
const shownAt = (offset: number) => ({ ...place(offset), key: `key-${offset}` });
const message = (offset: number) => shownAt(offset) as Message;
const item = (offset: number): Item<unknown, unknown> => ({ message: message(offset), input: 0, prepared: undefined });
const transaction = undefined as never;
const suspect = (offset: number): Suspect => ({ ...place(offset), alone: 0, inCompany: 1 });

function watch(actor: Actor<unknown, unknown>, known: Suspect[] = [], pulse = Pulse.create(4)) {
  const news: SuspectNews[] = [];
  const suspects = new SlotSuspects(known, (told) => news.push(told));
  return { pulse, news, suspects, actor: watched(actor, { pulse, suspects, timers: new ManualTimers() }) };
}

test('messages are shown with their keys while the actor computes, and while it waits', async () => {
  const pulse = Pulse.create(3);
  const seen: unknown[] = [];
  const look = () => seen.push(pulse.atWork.toSorted((a, b) => a.offset - b.offset));
  const { actor } = watch(
    {
      decode: look,
      async prepare() {
        look();
        await undefined;
        look();
      },
      async apply(items) {
        look();
        return items.map(() => []);
      },
    },
    [],
    pulse,
  );
  actor.decode(message(7));
  const [first, second] = [actor.prepare?.(0, message(8)), actor.prepare?.(0, message(9))];
  await Promise.all([first, second]);
  await actor.apply?.([item(8), item(9), item(10), item(11)], transaction);
  expect(seen).toEqual([
    [shownAt(7)],
    [shownAt(8)],
    // While one message computes, those that wait are hidden.
    [shownAt(9)],
    [shownAt(8), shownAt(9)],
    [shownAt(8), shownAt(9)],
    [shownAt(8), shownAt(9), shownAt(10)],
  ]);
  expect(pulse.atWork).toEqual([]);
});

test('an actor that only decodes shows places alone, and a long key is cut', () => {
  const pulse = Pulse.create(1);
  const seen: unknown[] = [];
  watch({ decode: () => seen.push(pulse.atWork) }, [], pulse).actor.decode(message(7));
  expect(seen).toEqual([[place(7)]]);
  pulse.begin([{ ...place(8), key: 'k'.repeat(41) }]);
  expect(pulse.atWork).toEqual([{ ...place(8), key: `${'k'.repeat(40)}…` }]);
});

test('a suspect is applied alone, and cleared when the actor comes through', async () => {
  const { actor, news } = watch({ decode: () => 0, apply: async (items) => items.map(() => []) }, [suspect(8)]);
  await expect(actor.apply?.([item(8), item(9)], transaction)).rejects.toThrow(/applied alone/);
  expect(await actor.apply?.([item(8)], transaction)).toEqual([[]]);
  expect(news).toEqual([{ kind: 'cleared', place: place(8) }]);
  expect(await actor.apply?.([item(8), item(9)], transaction)).toEqual([[], []]);
});

test('nothing else is at work beside a suspect', async () => {
  const pulse = Pulse.create(4);
  const gates = new Map([8, 9, 10].map((offset) => [offset, Promise.withResolvers<void>()]));
  const { actor } = watch(
    { decode: () => 0, prepare: async (_, { offset }) => await gates.get(offset)?.promise },
    [suspect(9)],
    pulse,
  );
  const prepared = [8, 9, 10].map((offset) => actor.prepare?.(0, message(offset)));
  await undefined;
  expect(pulse.atWork).toEqual([shownAt(8)]);
  gates.get(8)?.resolve();
  await prepared[0];
  expect(pulse.atWork).toEqual([shownAt(9)]);
  gates.get(9)?.resolve();
  await prepared[1];
  expect(pulse.atWork).toEqual([shownAt(10)]);
  gates.get(10)?.resolve();
  await prepared[2];
});

test('a message is poison after three deaths with nothing else at work, or after ten in all', () => {
  const record = new SuspectRecord();
  for (let death = 0; death < 9; death++) record.blame([place(8), place(9)]);
  for (let death = 0; death < 2; death++) record.blame([place(10)]);
  expect(watch({ decode: () => 'decoded' }, record.all).actor.decode(message(8))).toBe('decoded');
  expect(watch({ decode: () => 'decoded' }, record.all).actor.decode(message(10))).toBe('decoded');
  record.blame([place(10)]);
  record.blame([place(8), place(9)]);
  record.clear(place(9));
  const { actor } = watch({ decode: () => 'decoded' }, record.all);
  expect(() => actor.decode(message(8))).toThrow(DeadlyMessageError);
  expect(actor.decode(message(9))).toBe('decoded');
  expect(() => actor.decode(message(10))).toThrow(DeadlyMessageError);
});

test('once it is parked, a message has all its attempts again, and is still worked on alone', async () => {
  const record = new SuspectRecord();
  for (let death = 0; death < 3; death++) record.blame([place(8)]);
  const { actor, news, suspects } = watch({ decode: () => 0, apply: async (items) => items.map(() => []) }, record.all);
  expect(() => actor.decode(message(8))).toThrow(DeadlyMessageError);
  suspects.parked(message(8));
  suspects.parked(message(9));
  expect(news).toEqual([{ kind: 'parked', place: place(8) }]);
  expect(actor.decode(message(8))).toBe(0);
  await expect(actor.apply?.([item(8), item(9)], transaction)).rejects.toThrow(/applied alone/);
  record.parked(place(8));
  expect(record.all).toEqual([{ ...place(8), alone: 0, inCompany: 0 }]);
});

test('an actor that only decodes clears a suspect when it has decoded it', () => {
  const { actor, news } = watch({ decode: () => 0 }, [suspect(8)]);
  actor.decode(message(8));
  expect(news).toEqual([{ kind: 'cleared', place: place(8) }]);
});

test('a message of another log inherits no deaths from the one that had its offset before', () => {
  const record = new SuspectRecord();
  expect(record.enter(2, 1)).toBe(false);
  for (let death = 0; death < 3; death++) record.blame([place(8)]);
  record.blame([{ partition: 3, offset: 8 }]);
  const { actor, suspects } = watch({ decode: () => 'decoded' }, record.all);
  // Given up and assigned again, or in a new thread: the log is the same.
  expect(record.enter(2, 1)).toBe(false);
  expect(() => actor.decode(message(8))).toThrow(DeadlyMessageError);
  expect(record.enter(2, 2)).toBe(true);
  suspects.forget(2);
  expect(actor.decode(message(8))).toBe('decoded');
  expect(record.all).toEqual([{ partition: 3, offset: 8, alone: 1, inCompany: 0 }]);
});
