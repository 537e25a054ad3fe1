import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { uniqueName } from '../support/servers.ts';
import { committedTotal, createScene, effectCount, effectsByKey, ordersOver, readTopic, until } from './harness.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Makes the effect of one key fail with an SQLSTATE, like a server that can't read the page of the row. */
async function failKey(scene: Awaited<ReturnType<typeof createScene>>, key: string, state: string): Promise<void> {
  await scene.database.sql.unsafe(`
    create function strike() returns trigger language plpgsql as $$
    begin
      if new.key = '${key}' then raise exception 'struck' using errcode = '${state}'; end if;
      return new;
    end $$;
    create trigger strike before insert on effects for each row execute function strike();`);
}

const named = (scene: Awaited<ReturnType<typeof createScene>>) => new URL(scene.database.url).pathname.slice(1);

/**
 * Makes every writer of effects wait until it is released. It is released at the end of the test, because a failed test would hang
 * otherwise.
 */
async function lockEffects(scene: Awaited<ReturnType<typeof createScene>>) {
  const locked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const holder = scene.database.sql.begin(async (sql) => {
    await sql`lock table effects in exclusive mode`;
    locked.resolve();
    await released.promise;
  });
  await Promise.race([locked.promise, holder]);
  const release = async () => {
    released.resolve();
    await holder;
  };
  return { release, [Symbol.asyncDispose]: release };
}

/** Sessions of slots that wait for a lock. */
async function waitingForLock(scene: Awaited<ReturnType<typeof createScene>>): Promise<number[]> {
  const rows = await scene.database.sql<{ pid: number }[]>`
    select pid from pg_stat_activity
    where datname = current_database() and application_name like 'runtime-test-slot-%' and wait_event_type = 'Lock'`;
  return rows.map(({ pid }) => pid);
}

test.each(['XX001', '0A000', '55P03', '57014', '42501'])(
  '%s of the server for one order: that order waits and is named, the others go on, nothing is parked',
  async (state) => {
    await using scene = await createScene(4);
    await failKey(scene, 'bad', state);
    await scene.send([
      ...ordersOver(20, 100),
      { key: 'bad', n: 0 },
      ...ordersOver(20, 100).map((o) => ({ ...o, n: o.n + 5 })),
    ]);
    const runtime = await scene.start();
    await until(
      () => effectCount(scene.database.sql),
      (count) => count === 200,
    );
    const reason = await until(
      () => runtime.readiness(),
      (text) => text?.includes('message bad') === true,
    );
    expect(reason).toContain(state);
    // Later messages go on too: no partition is paused because of one message.
    await scene.send(ordersOver(20, 20).map((order) => ({ ...order, n: order.n + 10 })));
    await until(
      () => effectCount(scene.database.sql),
      (count) => count === 220,
    );
    expect(await readTopic(scene.admin, scene.deadLetters)).toEqual([]);
    await scene.database.sql`drop trigger strike on effects`;
    await until(
      () => committedTotal(scene),
      (total) => total === 221,
    );
    await until(
      () => runtime.readiness(),
      (text) => text === undefined,
    );
  },
);

test.each(['22003', 'P0001', 'ZZ999'])(
  '%s for one order is that order: it is parked, the others go on',
  async (state) => {
    await using scene = await createScene(4);
    await failKey(scene, 'bad', state);
    await scene.send([...ordersOver(20, 100), { key: 'bad', n: 0 }]);
    await scene.start();
    await until(
      () => committedTotal(scene),
      (total) => total === 101,
    );
    expect((await readTopic(scene.admin, scene.deadLetters)).map(({ key }) => String(key))).toEqual(['bad']);
    expect(await effectCount(scene.database.sql)).toBe(100);
  },
);

test('lock_timeout of the database: orders wait for the lock, the readiness says why, nothing is parked', async () => {
  await using scene = await createScene(4);
  await scene.database.sql.unsafe(`alter database ${named(scene)} set lock_timeout = '50ms'`);
  const runtime = await scene.start();
  await using lock = await lockEffects(scene);
  await scene.send(ordersOver(20, 100));
  await until(
    () => runtime.readiness(),
    (text) => text?.includes('55P03') === true,
  );
  // As long as four attempts of a message would take, and longer.
  await sleep(1_000);
  await lock.release();
  await until(
    () => committedTotal(scene),
    (total) => total === 100,
  );
  expect(await readTopic(scene.admin, scene.deadLetters)).toEqual([]);
  expect((await effectsByKey(scene.database.sql)).size).toBe(20);
});

test('statements that an administrator cancels are repeated: nothing is parked', async () => {
  await using scene = await createScene(4);
  const runtime = await scene.start();
  await using lock = await lockEffects(scene);
  await scene.send(ordersOver(20, 100));
  // A cancelled turn is halved and tried again at once. It is an outage only if single messages are cancelled too.
  await until(
    async () => {
      await scene.database
        .sql`select pg_cancel_backend(pid) from unnest(${await waitingForLock(scene)}::integer[]) as pid`;
      return runtime.readiness();
    },
    (text) => text?.includes('57014') === true,
  );
  await lock.release();
  await until(
    () => committedTotal(scene),
    (total) => total === 100,
  );
  expect(await readTopic(scene.admin, scene.deadLetters)).toEqual([]);
  await until(
    () => runtime.readiness(),
    (text) => text === undefined,
  );
});

test('a statement that an administrator cancels once is soon back in the queue of the lock', async () => {
  await using scene = await createScene(4);
  const runtime = await scene.start();
  await using lock = await lockEffects(scene);
  await scene.send([{ key: 'only', n: 0 }]);
  const [cancelled] = await until(
    () => waitingForLock(scene),
    (pids) => pids.length > 0,
  );
  await scene.database.sql`select pg_cancel_backend(${cancelled ?? 0})`;
  await until(
    () => waitingForLock(scene),
    (pids) => pids.some((pid) => pid !== cancelled),
  );
  await lock.release();
  await until(
    () => committedTotal(scene),
    (total) => total === 1,
  );
  await until(
    () => runtime.readiness(),
    (text) => text === undefined,
  );
  expect(await readTopic(scene.admin, scene.deadLetters)).toEqual([]);
});

test('a database that takes no writes is waited for, and is used again without a restart', async () => {
  await using scene = await createScene(4);
  await scene.database.sql.unsafe(`alter database ${named(scene)} set default_transaction_read_only = on`);
  await scene.send(ordersOver(20, 100));
  const runtime = await scene.start();
  await until(
    () => runtime.readiness(),
    (text) => text?.includes('25006') === true,
  );
  await scene.database.sql.unsafe(`alter database ${named(scene)} reset default_transaction_read_only`);
  await until(
    () => committedTotal(scene),
    (total) => total === 100,
  );
  expect(await readTopic(scene.admin, scene.deadLetters)).toEqual([]);
});

test('an output that Kafka will never take parks its message alone; the others go on', async () => {
  await using scene = await createScene(4);
  const outputTopic = uniqueName('outputs');
  await scene.admin.createTopics([
    { topic: outputTopic, partitions: 4, replicationFactor: 1, config: { 'max.message.bytes': '400' } },
  ]);
  await scene.send([...ordersOver(20, 100), { key: 'large', n: 0, pad: 'x'.repeat(1_000) }, ...ordersOver(20, 100)]);
  await scene.start({ settings: { outputTopic } });
  await until(
    () => committedTotal(scene),
    (total) => total === 201,
  );
  const letters = await readTopic(scene.admin, scene.deadLetters);
  expect(letters.map(({ key }) => String(key))).toEqual(['large']);
  expect(String(letters[0]?.headers['dlt-reason'])).toBe('RecordTooLargeError');
  expect((await readTopic(scene.admin, outputTopic)).length).toBeGreaterThanOrEqual(200);
  await scene.admin.deleteTopics([outputTopic]);
});

test('an output topic that is missing is an outage: nothing is parked, and all goes on when it is made', async () => {
  await using scene = await createScene(4);
  const outputTopic = uniqueName('outputs');
  await scene.send(ordersOver(20, 100));
  const runtime = await scene.start({ settings: { outputTopic } });
  await until(
    () => runtime.readiness(),
    (text) => text?.includes(`topic ${outputTopic} does not exist`) === true,
  );
  await scene.admin.createTopics([{ topic: outputTopic, partitions: 4, replicationFactor: 1 }]);
  await until(
    () => committedTotal(scene),
    (total) => total === 100,
  );
  expect(await readTopic(scene.admin, scene.deadLetters)).toEqual([]);
  await scene.admin.deleteTopics([outputTopic]);
});

test('a message that the dead-letter topic refuses as too large goes there without its value, and stops nothing', async () => {
  await using scene = await createScene(4, { 'max.message.bytes': '1500' });
  await scene.send([{ key: 'bad', n: 0, act: 'poison', pad: 'x'.repeat(3_000) }, ...ordersOver(20, 100)]);
  await scene.start();
  await until(
    () => committedTotal(scene),
    (total) => total === 101,
  );
  const letters = await readTopic(scene.admin, scene.deadLetters);
  expect(letters.map(({ key, value }) => [String(key), value])).toEqual([['bad', null]]);
  expect(String(letters[0]?.headers['dlt-reason'])).toBe('RangeError');
  const [row] = await scene.database.sql<{ value: Buffer }[]>`select value from dead_letters`;
  expect(JSON.parse(String(row?.value))).toMatchObject({ n: 0, act: 'poison' });
});

test('a prepare that never returns is named, is given up at its deadline, and holds no other order', async () => {
  await using scene = await createScene(4);
  const { runtimeOptions } = await import('./harness.ts');
  const { limits } = runtimeOptions(scene.topic, scene.group, scene.database.url);
  const runtime = await scene.start({ limits: { ...limits, slot: { ...limits.slot, prepareMsMax: 500 } } });
  await scene.send([{ key: 'stuck', n: 0, act: 'hang' }, ...ordersOver(20, 100)]);
  await until(
    () => effectCount(scene.database.sql),
    (count) => count === 100,
  );
  await until(
    () => runtime.readiness(),
    (text) => text?.includes('message stuck') === true && text.includes('prepare() has not returned'),
  );
  await scene.send(ordersOver(20, 20).map((order) => ({ ...order, n: order.n + 5 })));
  await until(
    () => effectCount(scene.database.sql),
    (count) => count === 120,
  );
  expect(await readTopic(scene.admin, scene.deadLetters)).toEqual([]);
});
