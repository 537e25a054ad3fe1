import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createRandom } from '../../lab/traffic/random.ts';
import { connectDatabase, type Transaction } from '../../store/database/database.ts';
import { SessionPool } from '../../store/database/session-pool.ts';
import { claimEpochs, holdEpochs, stalePartitions } from '../../store/partitions/epochs.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';
import { startToggledProxy } from '../support/toggled-proxy.ts';
import { startForgetfulPooler } from './forgetful-pooler.ts';

const subscription = { group: 'group', topic: 'topic' };
const APPLICATION = 'session-under-test';

let database: TestDatabase;
let pool: SessionPool;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.sql`create table written (transaction integer not null, statement integer not null)`;
  await claimEpochs(database.sql, subscription, [0, 1, 2], 'owner');
});

afterAll(async () => {
  await pool.close();
  await database[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await pool?.close();
  pool = sessions(database.url);
  await database.sql`truncate written`;
});

function sessions(url: string, transactionMsMax = 20_000): SessionPool {
  return new SessionPool({ server: url, application: APPLICATION, openMsMax: 5_000, transactionMsMax });
}

const held = (sql: Transaction) => holdEpochs(sql, subscription, new Map([[0, 1]]));

async function write(sql: Transaction, transaction: number, statement = 0): Promise<void> {
  await sql`insert into written values (${transaction}, ${statement})`;
}

async function written(): Promise<number[]> {
  const rows = await database.sql<{ transaction: number }[]>`select transaction from written order by 1`;
  return rows.map(({ transaction }) => transaction);
}

/**
 * Ends the sessions under test, or those of them that wait for a lock. Not while they are being opened: the driver (3.4.9) leaves the rejection of its
 * own first query unhandled.
 * @returns how many there were
 */
async function killSessions(waiting = false): Promise<number> {
  const { count } = await database.sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = ${APPLICATION} and datname = current_database()
      and query <> '' and query not like '%pg_type%' and (${!waiting} or wait_event_type = 'Lock')`;
  return count;
}

async function untilKilled(waiting: boolean): Promise<void> {
  while ((await killSessions(waiting)) === 0);
}

/** The results of all promises. The test times out if one of them is never settled. */
async function outcomes(promises: Promise<unknown>[]): Promise<string[]> {
  return (await Promise.allSettled(promises)).map(({ status }) => status);
}

const connectionLost = { code: expect.stringMatching(/^(CONNECTION_|57P01|ECONN|EPIPE)/) };

test('a connection that drops the session settings is refused, with what to do', async () => {
  await using pooler = await startForgetfulPooler(database.url, 'default_transaction_read_only');
  const refused = sessions(pooler.url).transaction(held, (sql) => write(sql, 1));
  await expect(refused).rejects.toThrow(/default_transaction_read_only.*PgBouncer/);
  // An outage, so that no message is parked because of it.
  await expect(refused).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  expect(await written()).toEqual([]);
});

test('fence and work are one transaction', async () => {
  const value = await pool.transaction(held, async (sql) => {
    await Promise.all([write(sql, 1, 0), write(sql, 1, 1)]);
    await write(sql, 1, 2);
    return 'done';
  });
  expect(value).toBe('done');
  expect(await written()).toEqual([1, 1, 1]);
});

test('a fence that does not hold names its partitions, and what was sent behind it is not written', async () => {
  await claimEpochs(database.sql, subscription, [1, 2], 'another owner');
  const epochs = new Map([
    [2, 1],
    [0, 1],
    [1, 1],
  ]);
  const statements: Promise<void>[] = [];
  const transaction = pool.transaction(
    (sql) => holdEpochs(sql, subscription, epochs),
    async (sql) => {
      statements.push(write(sql, 1), write(sql, 2));
      // Whatever the actor does with its errors, the fence counts.
      await Promise.allSettled(statements);
    },
  );
  const error = await transaction.catch((reason: unknown) => reason);
  expect(stalePartitions(error)).toEqual([1, 2]);
  expect(await outcomes(statements)).toEqual(['rejected', 'rejected']);
  expect(await written()).toEqual([]);
  // The same session is used again.
  await pool.transaction(held, (sql) => write(sql, 3));
  expect(await written()).toEqual([3]);
});

test('a claim waits for the transaction whose fence holds, and the next fence does not hold', async () => {
  const inWork = Promise.withResolvers<void>();
  const mayEnd = Promise.withResolvers<void>();
  const fence = (sql: Transaction) => holdEpochs(sql, { group: 'claimed', topic: 'topic' }, new Map([[0, 1]]));
  await claimEpochs(database.sql, { group: 'claimed', topic: 'topic' }, [0], 'owner');
  const transaction = pool.transaction(fence, async (sql) => {
    await write(sql, 1);
    inWork.resolve();
    await mayEnd.promise;
  });
  await inWork.promise;
  const claim = claimEpochs(database.sql, { group: 'claimed', topic: 'topic' }, [0], 'another');
  while ((await database.sql`select 1 from pg_locks where not granted`).count === 0);
  mayEnd.resolve();
  await transaction;
  expect(await claim).toEqual(new Map([[0, 2]]));
  await expect(pool.transaction(fence, (sql) => write(sql, 2))).rejects.toSatisfy(
    (error) => stalePartitions(error)?.[0] === 0,
  );
  expect(await written()).toEqual([1]);
});

test('a claim that may not end the session that blocks it says so, and goes on waiting', async () => {
  const claimed = { group: 'blocked', topic: 'topic' };
  const claimer = `claimer_${randomBytes(6).toString('hex')}`;
  await claimEpochs(database.sql, claimed, [0], 'owner');
  await database.sql.unsafe(`create role ${claimer} login password 'claimer'`);
  try {
    await database.sql.unsafe(`grant all on assignment_epochs to ${claimer}`);
    const url = new URL(database.url);
    url.username = claimer;
    url.password = 'claimer';
    const own = connectDatabase({ server: url.href, connections: 2, application: 'claimer' });
    const failures: string[] = [];
    const mayEnd = Promise.withResolvers<void>();
    const blocking = database.sql.begin(async (sql) => {
      await sql`select 1 from assignment_epochs where consumer_group = 'blocked' for update`;
      await mayEnd.promise;
    });
    const claim = claimEpochs(own, claimed, [0], 'another', (error) => failures.push(error.message));
    await vi.waitFor(() => expect(failures).toEqual([expect.stringMatching(/permission denied/)]), 10_000);
    mayEnd.resolve();
    await blocking;
    expect(await claim).toEqual(new Map([[0, 2]]));
    await own.end();
  } finally {
    await database.sql.unsafe(`drop owned by ${claimer}; drop role ${claimer}`);
  }
});

test.for(['commit', 'rollback'])('a statement that comes after the %s is refused', async (end) => {
  let late: Transaction | undefined;
  let fragment: Promise<void> | undefined;
  const transaction = pool.transaction(held, async (sql) => {
    late = sql;
    await write(sql, 1);
    if (end === 'commit') return;
    // Created in time, sent too late.
    const statement = sql`insert into written values (2, 0)`;
    fragment = transaction.catch(() => {}).then(async () => void (await statement));
    throw new Error('no');
  });
  await transaction.catch(() => {});
  await expect(write(late as Transaction, 3)).rejects.toThrow('is over');
  if (fragment !== undefined) await expect(fragment).rejects.toThrow('is over');
  expect(await written()).toEqual(end === 'commit' ? [1] : []);
});

test('outside of its own transaction a session cannot write', async () => {
  await expect(
    pool.transaction(held, async (sql) => {
      await sql.unsafe('commit');
      await write(sql, 1);
    }),
  ).rejects.toMatchObject({ code: '25006' });
  expect(await written()).toEqual([]);
});

test('an error that the work swallows rolls the transaction back', async () => {
  await expect(
    pool.transaction(held, async (sql) => {
      await write(sql, 1);
      await sql`select 1 / 0`.catch(() => {});
    }),
  ).rejects.toMatchObject({ code: '22012' });
  expect(await written()).toEqual([]);
});

test('the first failure is the one that is told', async () => {
  await expect(
    pool.transaction(held, (sql) => Promise.all([sql`select 1 / 0`.then(() => {}), write(sql, 1)])),
  ).rejects.toMatchObject({ code: '22012' });
  await expect(
    pool.transaction(held, async (sql) => {
      await sql`select 1 / 0`.catch(() => {});
      await write(sql, 1);
    }),
  ).rejects.toMatchObject({ code: '22012' });
  await expect(
    pool.transaction(held, () => {
      throw new RangeError('before any statement');
    }),
  ).rejects.toThrow(RangeError);
});

test('a value that cannot be sent fails its transaction, settles the rest, and the next one is not disturbed', async () => {
  for (let round = 0; round < 5; round++) {
    const statements: Promise<unknown>[] = [];
    const transaction = pool.transaction(held, async (sql) => {
      const invalid = undefined as unknown as number;
      statements.push(write(sql, 1), write(sql, invalid), write(sql, 2));
      await Promise.all(statements);
    });
    await expect(transaction).rejects.toMatchObject({ code: 'UNDEFINED_VALUE' });
    await outcomes(statements);
    await pool.transaction(held, (sql) => write(sql, 3));
  }
  expect(await written()).toEqual([3, 3, 3, 3, 3]);
});

test('what would leave the transaction is not there', async () => {
  await expect(
    pool.transaction(held, async (sql) => void (await (sql as never as { begin(): Promise<void> }).begin())),
  ).rejects.toThrow(TypeError);
});

const stages: Record<string, (sql: Transaction, statements: Promise<unknown>[]) => Promise<void>> = {
  'before the first statement': async () => {
    await untilKilled(false);
  },
  'between statements': async (sql, statements) => {
    statements.push(write(sql, 1));
    await statements[0];
    await untilKilled(false);
    statements.push(write(sql, 2));
  },
  'with statements in flight': async (sql, statements) => {
    statements.push(write(sql, 1), sql`select pg_advisory_lock(1)`.then(), write(sql, 2), write(sql, 3));
    await untilKilled(true);
  },
  'with more statements than are sent at a time': async (sql, statements) => {
    statements.push(sql`select pg_advisory_lock(1)`.then());
    for (let n = 0; n < 300; n++) statements.push(write(sql, 1));
    await untilKilled(true);
  },
  'before the commit': async (sql, statements) => {
    statements.push(write(sql, 1), write(sql, 2));
    await Promise.all(statements);
    await untilKilled(false);
  },
};

test.for(Object.keys(stages))('a connection that is lost %s settles everything and writes nothing', async (stage) => {
  await database.sql.begin(async (holder) => {
    await holder`select pg_advisory_xact_lock(1)`;
    for (let round = 0; round < 10; round++) {
      const statements: Promise<unknown>[] = [];
      const transaction = pool.transaction(held, async (sql) => {
        await stages[stage]?.(sql, statements);
        await Promise.all(statements);
      });
      await expect(transaction).rejects.toMatchObject(connectionLost);
      await outcomes(statements);
      expect(await written()).toEqual([]);
    }
  });
  await pool.transaction(held, (sql) => write(sql, 9));
  expect(await written()).toEqual([9]);
});

test('a connection that is lost while the fence waits', async () => {
  await database.sql.begin(async (claim) => {
    await claim`update assignment_epochs set owner = owner`;
    for (let round = 0; round < 10; round++) {
      const statements: Promise<unknown>[] = [];
      const transaction = pool.transaction(held, async (sql) => {
        statements.push(write(sql, 1), write(sql, 2));
        await Promise.all(statements);
      });
      const failed = expect(transaction).rejects.toMatchObject(connectionLost);
      await untilKilled(true);
      await failed;
      expect(await outcomes(statements)).toEqual(['rejected', 'rejected']);
    }
  });
  expect(await written()).toEqual([]);
});

test('a lock that another session keeps is told as such, long before the transaction is given up', async () => {
  const other = await database.sql.reserve();
  await other`begin`;
  await other`lock table written`;
  await pool.close();
  pool = sessions(database.url, 1_200);
  const waited = pool.transaction(held, (sql) => write(sql, 1));
  await expect(waited).rejects.toMatchObject({ code: '55P03' });
  await other`rollback`;
  other.release();
  // The operator's own limit is kept.
  const name = new URL(database.url).pathname.slice(1);
  await database.sql.unsafe(`alter database ${name} set lock_timeout = '7s'`);
  await pool.close();
  pool = sessions(database.url);
  const [row] = await pool.transaction(held, (sql) => sql`select current_setting('lock_timeout') as limit`);
  expect(row).toEqual({ limit: '7s' });
  await database.sql.unsafe(`alter database ${name} reset lock_timeout`);
});

test('a server that does not answer in time is given up, and its session ends', async () => {
  const impatient = sessions(database.url, 200);
  await database.sql.begin(async (holder) => {
    await holder`select pg_advisory_xact_lock(1)`;
    const statements: Promise<unknown>[] = [];
    const transaction = impatient.transaction(held, async (sql) => {
      statements.push(write(sql, 1), sql`select pg_sleep(60)`.then(), write(sql, 2));
      await Promise.all(statements);
    });
    await expect(transaction).rejects.toThrow('within 200 ms');
    await outcomes(statements);
  });
  await impatient.close();
  const left = () =>
    database.sql`select 1 from pg_stat_activity where application_name = ${APPLICATION} and state <> 'idle'`;
  while ((await left()).count > 0);
  expect(await written()).toEqual([]);
});

test('a server that takes connections and says nothing is an outage, and so is one that closes them', async () => {
  const proxy = await startToggledProxy(database.url);
  const url = new URL(database.url);
  url.host = proxy.address;
  const through = new SessionPool({
    server: url.href,
    application: APPLICATION,
    openMsMax: 300,
    transactionMsMax: 20_000,
  });
  for (let round = 0; round < 5; round++) {
    await through.transaction(held, (sql) => write(sql, 1));
    const statements: Promise<unknown>[] = [];
    const interrupted = through.transaction(held, async (sql) => {
      proxy.interrupt();
      statements.push(write(sql, 2), write(sql, 3));
      await Promise.all(statements);
    });
    await expect(interrupted).rejects.toMatchObject(connectionLost);
    await outcomes(statements);
    await expect(through.transaction(held, (sql) => write(sql, 4))).rejects.toMatchObject(connectionLost);
    proxy.resume();
  }
  expect(await written()).toEqual([1, 1, 1, 1, 1]);
  await through.close();
  await proxy.close();
});

test('connections killed at random: every transaction settles, and is written whole or not at all', async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
  console.info(`SEED=${seed}`);
  const below = createRandom(seed).integer;
  const transactions = 400;
  const succeeded: number[] = [];
  let next = 0;
  const worker = async () => {
    while (next < transactions) {
      const transaction = next++;
      const statements = 1 + below(6);
      const steps = 1 + below(3);
      await pool
        .transaction(held, async (sql) => {
          for (let step = 0; step < steps; step++)
            await Promise.all(Array.from({ length: statements }, () => write(sql, transaction, steps * statements)));
        })
        .then(
          () => succeeded.push(transaction),
          (error: unknown) => expect(error).toMatchObject(connectionLost),
        );
    }
  };
  const killer = async () => {
    while (next < transactions) {
      await killSessions();
      for (let rest = below(10); rest > 0; rest--) await database.sql`select 1`;
    }
  };
  await Promise.all([worker(), worker(), worker(), killer()]);
  const rows = await database.sql<{ transaction: number; wanted: number; count: number }[]>`
    select transaction, max(statement) as wanted, count(*)::integer as count from written group by 1`;
  for (const { wanted, count } of rows) expect(count).toBe(wanted);
  const present = new Set(rows.map(({ transaction }) => transaction));
  expect(succeeded.filter((transaction) => !present.has(transaction))).toEqual([]);
});

test('a statement that is made and not awaited fails the transaction; a part of another statement does not', async () => {
  const forgotten = pool.transaction(held, async (sql) => {
    await write(sql, 1);
    sql`insert into written values (2, 0)`;
  });
  await expect(forgotten).rejects.toThrow('not sent: "insert into written values (2, 0)"; await every statement');
  const inFlight = pool.transaction(held, async (sql) => {
    write(sql, 3).catch(() => {});
    await Promise.resolve();
    await Promise.resolve();
  });
  await expect(inFlight).rejects.toThrow(/not waited for: "insert into written values \(…, …\)"/);
  expect(await written()).toEqual([]);
  await pool.transaction(held, async (sql) => {
    await sql`insert into written values ${sql`(4, 0)`}`;
  });
  expect(await written()).toEqual([4]);
});
