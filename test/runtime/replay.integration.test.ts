import { type ChildProcess, fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import {
  discardDeadLetters,
  type KeyPlace,
  requestReplay,
  stopReplay,
} from '../../store/dead-letters/dead-letter-acts.ts';
import { type DeadLetter, readDeadLetters, traceOf } from '../../store/dead-letters/dead-letters.ts';
import { parkKey } from '../../store/dead-letters/parked-keys.ts';
import { claimEpochs } from '../../store/partitions/epochs.ts';
import type { HealingOrder } from './actors/healing-actor.ts';
import { committedTotal, createScene, effectCount, effectsByKey, readTopic, type Scene, until } from './harness.ts';

vi.setConfig({ testTimeout: 150_000 });

const healingActor = new URL('./actors/healing-actor.ts', import.meta.url);

async function replayScene(partitions = 3): Promise<Scene> {
  const scene = await createScene(partitions);
  await scene.database.sql`create table healed (key text primary key)`;
  return scene;
}

const start = (scene: Scene) => scene.start({ actorModule: healingActor });

/** Orders of one key, numbered from `first`; the named ones are poison. */
function orders(key: string, first: number, count: number, poison: readonly number[] = []) {
  return Array.from({ length: count }, (_, index): HealingOrder & { key: string } => {
    const n = first + index;
    return poison.includes(n) ? { key, n, poison: true } : { key, n };
  });
}

async function letters(scene: Scene): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for await (const letter of readDeadLetters(scene.database.sql)) found.push(letter);
  return found;
}

async function statesOf(scene: Scene): Promise<string[]> {
  return (await letters(scene)).map(({ offset, state }) => `${offset} ${state}`);
}

async function parkedKeys(scene: Scene): Promise<KeyPlace[]> {
  return await scene.database.sql<KeyPlace[]>`
    select consumer_group as "group", topic, partition, key from parked_keys where released_at is null order by key`;
}

const by = { operator: 'test', selection: {} };
const heal = (scene: Scene, key: string) => scene.database.sql`insert into healed values (${key})`;
const replayAll = async (scene: Scene, ratePerSecond?: number) =>
  requestReplay(scene.database.sql, {
    ...by,
    keys: await parkedKeys(scene),
    ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
  });
const committed = (scene: Scene, total: number) =>
  until(
    () => committedTotal(scene),
    (sum) => sum === total,
    100_000,
  );
const released = (scene: Scene) =>
  until(
    () => parkedKeys(scene),
    (keys) => keys.length === 0,
    100_000,
  );
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

test('a replay releases a key and its followers in order, later messages after them, and a restart repeats nothing', async () => {
  await using scene = await replayScene();
  await scene.send([...orders('a', 0, 5, [1]), ...orders('b', 0, 5)]);
  const runtime = await start(scene);
  await committed(scene, 10);
  expect((await effectsByKey(scene.database.sql)).get('a')).toEqual([0]);
  expect((await letters(scene)).map(({ behind, attempts, state }) => [behind !== null, attempts, state])).toEqual([
    [false, 4, 'parked'],
    [true, 0, 'parked'],
    [true, 0, 'parked'],
    [true, 0, 'parked'],
  ]);

  await heal(scene, 'a');
  const outcome = await replayAll(scene);
  expect(outcome).toMatchObject({ act: 1, keys: 1, letters: 4, busy: [] });
  expect(await replayAll(scene)).toMatchObject({ act: undefined, keys: 0, letters: 0 });
  await released(scene);
  await scene.send(orders('a', 5, 2));
  await committed(scene, 12);
  expect((await effectsByKey(scene.database.sql)).get('a')).toEqual(numbers(7));
  expect((await letters(scene)).every(({ state }) => state === 'replayed')).toBe(true);
  const [first] = await letters(scene);
  const trace = await traceOf(scene.database.sql, first as DeadLetter);
  expect(trace.map(({ event, act, operator }) => [event, act, operator])).toEqual([
    ['parked', null, null],
    ['replay', 1, 'test'],
    ['replayed', 1, 'test'],
  ]);
  // Nothing new went to the topic, and the metrics don't count the key as parked any more.
  expect(await readTopic(scene.admin, scene.deadLetters)).toHaveLength(4);
  await until(
    () => runtime.view().partitions.reduce((sum, { parkedKeys: keys }) => sum + keys, 0),
    (keys) => keys === 0,
  );
  await runtime.close();
  await start(scene);
  await scene.send(orders('a', 7, 1));
  await committed(scene, 13);
  expect((await effectsByKey(scene.database.sql)).get('a')).toEqual(numbers(8));
});

test('a replayed message that fails again stays in front, with its followers behind it, until it is edited', async () => {
  await using scene = await replayScene();
  await scene.send(orders('a', 0, 4, [0, 2]));
  await start(scene);
  await committed(scene, 4);
  await replayAll(scene);
  await until(
    async () => (await traceOf(scene.database.sql, (await letters(scene))[0] as DeadLetter)).at(-1)?.event,
    (event) => event === 'failed',
  );
  expect(await effectsByKey(scene.database.sql)).toEqual(new Map());
  expect((await letters(scene)).map(({ attempts, state }) => [attempts, state])).toEqual([
    [8, 'parked'],
    [0, 'parked'],
    [0, 'parked'],
    [0, 'parked'],
  ]);

  const edited = async (index: number, n: number) => {
    const letter = (await letters(scene))[index] as DeadLetter;
    const value = Buffer.from(JSON.stringify({ n }));
    await requestReplay(scene.database.sql, {
      ...by,
      keys: await parkedKeys(scene),
      edit: { ...letter, value },
    });
  };
  await edited(0, 100);
  // Goes on to the next poison message, which is parked in front of the rest.
  await until(
    () => statesOf(scene),
    (states) => states.filter((state) => state.endsWith('replayed')).length === 2,
  );
  await until(
    async () => (await letters(scene))[2]?.attempts,
    (attempts) => attempts === 4,
  );
  await scene.send(orders('a', 4, 1));
  await committed(scene, 5);
  expect((await effectsByKey(scene.database.sql)).get('a')).toEqual([100, 1]);
  const [parked] = await scene.database.sql`select first_offset, settled_offset from parked_keys`;
  expect(parked).toEqual({ first_offset: '2', settled_offset: '1' });
  await edited(2, 102);
  await released(scene);
  expect((await effectsByKey(scene.database.sql)).get('a')).toEqual([100, 1, 102, 3, 4]);
});

test('a paced replay keeps its rate, lets other orders pass, and live messages of its order wait behind', async () => {
  await using scene = await replayScene(1);
  await scene.send(orders('a', 0, 6, [0]));
  await start(scene);
  await committed(scene, 6);
  await heal(scene, 'a');
  const begun = performance.now();
  await replayAll(scene, 4);
  await scene.send([...orders('b', 0, 20), ...orders('a', 6, 2)]);
  // In the same partition, and not delayed by the replay.
  await committed(scene, 28);
  expect((await effectsByKey(scene.database.sql)).get('b')).toEqual(numbers(20));
  await released(scene);
  expect((await effectsByKey(scene.database.sql)).get('a')).toEqual(numbers(8));
  // Eight messages, the first one at once: a lower bound, which a busy machine can't break.
  expect(performance.now() - begun).toBeGreaterThan((7 / 4) * 1_000);
});

test('discarded messages are passed over; a key with nothing left is released; a stopped replay leaves the rest parked', async () => {
  await using scene = await replayScene();
  await scene.send([...orders('a', 0, 3, [0]), ...orders('b', 0, 2, [0]), ...orders('c', 0, 50, [0])]);
  await start(scene);
  await committed(scene, 55);
  const ofKey = async (key: string) => (await letters(scene)).filter((letter) => letter.key === key);
  const discard = (chosen: DeadLetter[]) => discardDeadLetters(scene.database.sql, { ...by, letters: chosen });
  expect(await discard((await ofKey('a')).slice(0, 1))).toMatchObject({ letters: 1 });
  expect(await discard((await ofKey('a')).slice(0, 1))).toMatchObject({ act: undefined, letters: 0 });
  await discard(await ofKey('b'));
  await until(
    () => parkedKeys(scene),
    (keys) => keys.map(({ key }) => key).join() === 'a,c',
  );
  await heal(scene, 'c');
  const keys = await parkedKeys(scene);
  await requestReplay(scene.database.sql, { ...by, keys: keys.filter(({ key }) => key === 'c'), ratePerSecond: 5 });
  expect(await discard(await ofKey('c'))).toMatchObject({ act: undefined, busy: [{ key: 'c' }] });
  await until(
    () => ofKey('c'),
    ([first]) => first?.state === 'replayed',
  );
  await stopReplay(scene.database.sql, { ...by, keys });
  await requestReplay(scene.database.sql, { ...by, keys: keys.filter(({ key }) => key === 'a') });
  await until(
    () => parkedKeys(scene),
    (left) => left.map(({ key }) => key).join() === 'c',
  );
  await scene.send([...orders('a', 3, 1), ...orders('b', 2, 1), ...orders('c', 50, 1)]);
  await committed(scene, 58);
  const effects = await effectsByKey(scene.database.sql);
  expect(effects.get('a')).toEqual([1, 2, 3]);
  expect(effects.get('b')).toEqual([2]);
  const replayed = effects.get('c') ?? [];
  expect(replayed.length).toBeLessThan(50);
  expect(replayed).toEqual(numbers(replayed.length));
  await replayAll(scene);
  await released(scene);
  expect((await effectsByKey(scene.database.sql)).get('c')).toEqual(numbers(51));
});

test('a worker that ended between parking the key and the dead letter: the message is parked, not worked on', async () => {
  await using scene = await replayScene(1);
  const subscription = { group: scene.group, topic: scene.topic };
  await claimEpochs(scene.database.sql, subscription, [0], 'the worker before');
  const failure = { reason: 'RangeError', error: "can't be made", attempts: 4, firstFailedAt: 1_000, applied: false };
  await parkKey(scene.database.sql, subscription, 1, { partition: 0, key: 'a', firstOffset: 0, ...failure });
  await heal(scene, 'a');
  await scene.send(orders('a', 0, 3, [0]));
  await start(scene);
  await committed(scene, 3);
  expect((await effectsByKey(scene.database.sql)).size).toBe(0);
  expect(await readTopic(scene.admin, scene.deadLetters)).toHaveLength(3);
  expect(await statesOf(scene)).toEqual(['0 parked', '1 parked', '2 parked']);
});

test('settled messages that are delivered again, because their offset was not committed, are not worked on', async () => {
  await using scene = await replayScene(1);
  await scene.database.sql`
    insert into parked_keys (consumer_group, topic, partition, key, first_offset, reason, error, attempts, first_failed_at,
      settled_offset, released_at)
    values (${scene.group}, ${scene.topic}, 0, 'a', 1, 'x', 'x', 4, now(), 2, now())`;
  await scene.send([...orders('a', 0, 4, [1]), ...orders('b', 0, 2)]);
  await start(scene);
  await committed(scene, 6);
  expect(await effectsByKey(scene.database.sql)).toEqual(
    new Map([
      ['a', [3]],
      ['b', [0, 1]],
    ]),
  );
  expect(await readTopic(scene.admin, scene.deadLetters)).toEqual([]);
});

async function forkWorker({ topic, group, database }: Scene): Promise<ChildProcess> {
  const worker = fork(new URL('./worker-process.ts', import.meta.url), [topic, group, database.url, healingActor.href]);
  const died = once(worker, 'exit').then(([code]) => Promise.reject(new Error(`the worker exited with ${code}`)));
  await Promise.race([once(worker, 'message'), died]);
  died.catch(() => {});
  return worker;
}

test('rebalances and kill -9 of workers in the middle of parking and replaying, with live traffic: each order in its order, each once', async () => {
  await using scene = await replayScene();
  const seed = Number(process.env.SEED ?? randomInt(1_000_000));
  console.log(`SEED=${seed}`);
  let state = seed;
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state % below;
  };
  const keys = Array.from({ length: 12 }, (_, index) => `order-${index}`);
  const sent = new Map(keys.map((key) => [key, 0]));
  const send = async (count: number, sick: boolean) => {
    const batch = keys.flatMap((key) => {
      const first = sent.get(key) ?? 0;
      sent.set(key, first + count);
      return orders(key, first, count, sick ? [first + random(count)] : []);
    });
    await scene.send(batch);
  };
  await send(8, true);
  let worker = await forkWorker(scene);
  const workers = [worker];
  try {
    for (let round = 0; round < 3; round++) {
      await until(
        async () => (await parkedKeys(scene)).length,
        (count) => count >= (round === 0 ? 1 + random(keys.length) : 0),
        100_000,
      );
      if (round === 1) for (const key of keys) await heal(scene, key);
      await replayAll(scene, round === 2 ? undefined : 40);
      await send(3, false);
      // Any moment will do: the seed chooses it, and what it hits depends on the machine.
      await sleep(random(1_500));
      const before = worker;
      worker = await forkWorker(scene);
      workers.push(worker);
      await sleep(random(1_500));
      before.kill('SIGKILL');
      await once(before, 'exit');
    }
    const total = [...sent.values()].reduce((sum, count) => sum + count, 0);
    await committed(scene, total);
    await replayAll(scene);
    await released(scene);
    await until(
      () => effectCount(scene.database.sql),
      (count) => count === total,
    );
    const effects = await effectsByKey(scene.database.sql);
    for (const key of keys) expect(effects.get(key), key).toEqual(numbers(sent.get(key) ?? 0));
    expect((await letters(scene)).every(({ state: end }) => end === 'replayed')).toBe(true);
  } finally {
    for (const each of workers) each.kill('SIGKILL');
  }
});
