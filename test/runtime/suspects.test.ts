import { expect, test } from 'vitest';
import type { Actor, Item, Message } from '../../runtime/actor.ts';
import { Pulse } from '../../runtime/pulse.ts';
import { DeadlyMessageError, SuspectRecord, watched } from '../../runtime/suspects.ts';

const message = (offset: number) => ({ partition: 2, offset }) as Message;
const item = (offset: number): Item<unknown, unknown> => ({ message: message(offset), input: 0, prepared: undefined });
const transaction = undefined as never;

test('messages are shown while the actor computes, and no longer', async () => {
  const pulse = Pulse.create(2);
  const seen: unknown[] = [];
  const look = () => seen.push(pulse.underWay);
  const actor: Actor<unknown, unknown> = {
    decode: look,
    prepare: async () => look(),
    apply: async () => [look(), []].slice(1) as [][],
  };
  const shown = watched(actor, pulse, []);
  shown.decode(message(7));
  await shown.prepare?.(0, message(8));
  await shown.apply?.([item(8), item(9), item(10)], transaction);
  const place = (offset: number) => ({ partition: 2, offset });
  expect(seen).toEqual([[place(7)], [place(8)], [place(8), place(9)]]);
  expect(pulse.underWay).toEqual([]);
});

test('a suspect is applied alone', async () => {
  const shown = watched({ decode: () => 0, apply: async () => [[]] }, Pulse.create(4), [
    { partition: 2, offset: 8, deaths: 1 },
  ]);
  await expect(shown.apply?.([item(8), item(9)], transaction)).rejects.toThrow(/applied alone/);
  expect(await shown.apply?.([item(8)], transaction)).toEqual([[]]);
});

test('after three deaths a message is poison', () => {
  const record = new SuspectRecord();
  for (let death = 0; death < 3; death++) record.blame([{ partition: 2, offset: 8 }]);
  const shown = watched({ decode: () => 'decoded' }, Pulse.create(4), record.all);
  expect(() => shown.decode(message(8))).toThrow(DeadlyMessageError);
  expect(shown.decode(message(9))).toBe('decoded');
});
