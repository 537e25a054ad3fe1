import { afterEach, beforeEach, expect, test } from 'vitest';
import { discardDeadLetters, requestReplay, stopReplay } from '../../store/dead-letters/dead-letter-acts.ts';
import { pruneDeadLetters } from '../../store/dead-letters/dead-letter-retention.ts';
import {
  type NewDeadLetter,
  readDeadLetters,
  recordDeadLetter,
  traceOf,
} from '../../store/dead-letters/dead-letters.ts';
import { loadParkedKeys, parkKey } from '../../store/dead-letters/parked-keys.ts';
import { applyReplayed, failReplayed, nextOfReplay, settleReplayed } from '../../store/dead-letters/replays.ts';
import { claimEpochs } from '../../store/partitions/epochs.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';

const subscription = { group: 'group', topic: 'topic' };
const owned = { partition: 0, epoch: 1, key: 'a' };
const key = { ...subscription, partition: 0, key: 'a' };
const by = { operator: 'test', selection: {} };
const failure = { reason: 'RangeError', error: 'bad', attempts: 4, firstFailedAt: 1_000, applied: false };

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
  await claimEpochs(database.sql, subscription, [0], 'owner');
});
afterEach(async () => {
  await database[Symbol.asyncDispose]();
});

function letter(offset: number, more: Partial<NewDeadLetter> = {}): NewDeadLetter {
  const behind = offset === 0 ? null : 0;
  const content = { key: 'a', keyBytes: Buffer.from('a'), value: Buffer.from(String(offset)), headers: {} };
  return { partition: 0, offset, ...content, timestamp: 1_000, behind, ...failure, ...more };
}

/** A key with two parked messages. */
async function park(first: Partial<NewDeadLetter> = {}): Promise<void> {
  await parkKey(database.sql, subscription, 1, { partition: 0, key: 'a', firstOffset: 0, ...failure });
  await recordDeadLetter(database.sql, subscription, 1, letter(0, first));
  await recordDeadLetter(database.sql, subscription, 1, letter(1));
}

/** Asks for a replay and takes its first message. */
async function handOut(): Promise<{ act: number; place: { partition: number; key: string; offset: number } }> {
  await requestReplay(database.sql, { ...by, keys: [key] });
  const step = await nextOfReplay(database.sql, subscription, owned);
  if (step.kind !== 'letter') throw new Error(`expected a letter, got ${step.kind}`);
  return { act: step.act, place: { partition: 0, key: 'a', offset: step.letter.offset } };
}

async function states(): Promise<string[]> {
  const found: string[] = [];
  for await (const { offset, state } of readDeadLetters(database.sql)) found.push(`${offset} ${state}`);
  return found;
}

const discard = (offset: number, applied?: boolean) =>
  discardDeadLetters(database.sql, {
    ...by,
    letters: [{ ...key, offset }],
    ...(applied === undefined ? {} : { applied }),
  });

test('an operator who stops and discards first leaves no effect', async () => {
  await park();
  const { place } = await handOut();
  await stopReplay(database.sql, { ...by, keys: [key] });
  expect(await discard(0)).toMatchObject({ letters: 1, applied: 0 });
  expect(await database.sql.begin((sql) => applyReplayed(sql, subscription, [place]))).toEqual([]);
  expect(await states()).toEqual(['0 discarded', '1 parked']);
});

test('a stop waits for effects in flight, and a message with effects is not discarded unless that is asked for', async () => {
  await park();
  const { place } = await handOut();
  let stopped = false;
  let stopping: Promise<unknown> | undefined;
  await database.sql.begin(async (sql) => {
    expect(await applyReplayed(sql, subscription, [place])).toEqual([place]);
    stopping = stopReplay(database.sql, { ...by, keys: [key] }).then(() => {
      stopped = true;
    });
    // The server shows that the stop waits for a lock.
    for (let waiting = 0; waiting === 0; ) {
      const [row] = await database.sql<{ waiting: number }[]>`
        select count(*)::integer as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      waiting = row?.waiting ?? 0;
    }
    expect(stopped).toBe(false);
  });
  await stopping;
  // Here the worker ended before the message was settled.
  expect(await discard(0)).toMatchObject({ act: undefined, letters: 0, applied: 1 });
  expect(await states()).toEqual(['0 parked', '1 parked']);
  // Replayed again, the message has the same effects again, and ends.
  const again = await handOut();
  expect(await database.sql.begin((sql) => applyReplayed(sql, subscription, [again.place]))).toEqual([again.place]);
  expect(await settleReplayed(database.sql, subscription, owned, 0)).toEqual({ kind: 'more', settledOffset: 0 });
  expect(await states()).toEqual(['0 replayed', '1 replaying']);
});

test('a message whose outputs were refused is parked with its effects, and can be given up by name', async () => {
  await park({ applied: true });
  expect(await discard(0)).toMatchObject({ letters: 0, applied: 1 });
  expect(await discard(0, true)).toMatchObject({ letters: 1, applied: 0 });
});

test('a failure whose answer was lost is recorded once, and ends no replay that was asked for meanwhile', async () => {
  await park();
  const { act } = await handOut();
  const failed = { partition: 0, key: 'a', firstOffset: 0, ...failure };
  const fail = () => failReplayed(database.sql, subscription, 1, failed, act);
  expect(await fail()).toBe('parked');
  const next = await handOut();
  expect(next.act).not.toBe(act);
  expect(await fail()).toBe('parked');
  expect(await nextOfReplay(database.sql, subscription, owned)).toMatchObject({ kind: 'letter', act: next.act });
  const events = (await traceOf(database.sql, { ...key, offset: 0 })).map(({ event }) => event);
  expect(events).toEqual(['parked', 'replay', 'failed', 'replay']);
  await stopReplay(database.sql, { ...by, keys: [key] });
  await discard(0);
  expect(await failReplayed(database.sql, subscription, 1, failed, next.act)).toBe('discarded');
  expect(await failReplayed(database.sql, subscription, 0, failed, next.act)).toBe('fenced');
});

test('what is done with is forgotten after its time, with its story and its act; what is parked, and all of its order, stays', async () => {
  await park();
  await parkKey(database.sql, subscription, 1, { partition: 0, key: 'b', firstOffset: 7, ...failure });
  await recordDeadLetter(database.sql, subscription, 1, letter(7, { key: 'b', behind: null }));
  await discard(0);
  const b = { ...key, key: 'b' };
  await discardDeadLetters(database.sql, { ...by, letters: [{ ...b, offset: 7 }] });
  expect(await nextOfReplay(database.sql, subscription, { ...owned, key: 'b' })).toEqual({
    kind: 'released',
    settledOffset: 7,
  });
  expect(await pruneDeadLetters(database.sql, subscription, 60_000)).toBe(0);
  expect(await states()).toEqual(['0 discarded', '1 parked', '7 discarded']);
  expect(await pruneDeadLetters(database.sql, { ...subscription, group: 'another' }, 0)).toBe(0);
  expect(await pruneDeadLetters(database.sql, subscription, 0)).toBe(1);
  expect(await states()).toEqual(['0 discarded', '1 parked']);
  expect(await traceOf(database.sql, { ...b, offset: 7 })).toEqual([]);
  expect(await database.sql`select id::integer from dead_letter_acts`).toEqual([{ id: 1 }]);
  // The owner must still know for a while that the message is settled.
  expect((await loadParkedKeys(database.sql, subscription, [0])).settled).toContainEqual({
    partition: 0,
    key: 'b',
    settledOffset: 7,
  });
});
