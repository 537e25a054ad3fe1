import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startWorker, workerRoles } from '../../actors/roles.ts';
import { judge, readEvidence } from '../../audit/index.ts';
import { type ConnectedConfig, loadConfig } from '../../contracts/config/config.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { startGateway } from '../../gateway/gateway.ts';
import { applyTopics, createAdmin } from '../../kafka/index.ts';
import { catchUp } from '../../region/operations/catch-up.ts';
import { connectDatabase, type Database } from '../../store/database/database.ts';
import { loadMenu } from '../../store/orders/menu.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { testMenu, testOrder } from '../actors/support.ts';
import { type OwnBroker, startOwnBroker } from '../support/own-broker.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';

const patiently = { timeout: 150_000, interval: 200 };
const logger = createLogger('test', process.env.TEST_LOG ?? 'silent');
let broker: OwnBroker;
let database: TestDatabase;
let ledger: TestDatabase;
let gateway: RunningRole;
let workers: RunningRole[] = [];
let config: ConnectedConfig;
const accepted = new Set<string>();

beforeAll(async () => {
  // Two restored moments of one database; the payment provider has a ledger of its own, which no backup of ours sets back.
  [broker, database, ledger] = await Promise.all([startOwnBroker(), createTestDatabase(), createTestDatabase()]);
  config = loadConfig({
    ...broker.environment,
    DATABASE_URL: database.url,
    ORDERMESH_PAYMENT_LEDGER_URL: ledger.url,
    ORDERMESH_PAYMENT_LATENCY_MEAN: '2ms',
    ORDERMESH_PAYMENT_DECLINE_RATE: '0',
    ORDERMESH_PARTITIONS: '2',
    ORDERMESH_ADMIN_PORT: '0',
    ORDERMESH_GATEWAY_PORT: '0',
    ORDERMESH_GRPC_PORT: '0',
    ORDERMESH_AUTH: 'off',
    ORDERMESH_SLOTS: '1',
    ORDERMESH_LOG_LEVEL: 'silent',
  }) as ConnectedConfig;
  const admin = await createAdmin({ clientId: 'test', cluster: broker.cluster });
  await applyTopics(admin, config).finally(() => admin.close());
  await loadMenu(database.sql, testMenu());
  gateway = await startGateway(config, logger);
  await startWorkers();
}, 400_000);
afterAll(async () => {
  await stopWorkers();
  await gateway?.close();
  await database?.[Symbol.asyncDispose]();
  await ledger?.[Symbol.asyncDispose]();
  await broker?.[Symbol.asyncDispose]();
}, 60_000);

async function startWorkers(): Promise<void> {
  workers = await Promise.all(workerRoles.map((role) => startWorker(role, config, logger)));
}

async function stopWorkers(): Promise<void> {
  await Promise.all(workers.map((role) => role.close()));
  workers = [];
}

async function send(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const order = testOrder();
    const answer = await fetch(new URL('/v1/orders', gateway.addresses.gateway), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(order),
    });
    expect(answer.status).toBe(202);
    accepted.add(order.orderId);
  }
}

async function tickets(sql: Database = database.sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::integer as count from tickets`;
  return row?.count ?? 0;
}

/** Sets the database back to a copy of itself, as a restore does: drops it and takes the copy under its name. */
async function restore(copy: string): Promise<void> {
  const name = new URL(database.url).pathname.slice(1);
  const admin = new URL(database.urlAs('administrator'));
  admin.pathname = '/postgres';
  const sql = connectDatabase({ server: admin.href, connections: 1, application: 'test-restore' });
  try {
    await sql.unsafe(`drop database ${name} with (force)`);
    await sql.unsafe(`alter database ${copy} rename to ${name}`);
  } finally {
    await sql.end();
  }
}

async function backUp(copy: string): Promise<void> {
  const name = new URL(database.url).pathname.slice(1);
  const admin = new URL(database.urlAs('administrator'));
  admin.pathname = '/postgres';
  const sql = connectDatabase({ server: admin.href, connections: 1, application: 'test-backup' });
  try {
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name} and pid <> pg_backend_pid()`;
    await sql.unsafe(`create database ${copy} template ${name}`);
  } finally {
    await sql.end();
  }
}

test('a database restored to an older moment is brought up to the log: nothing lost, nothing twice', async () => {
  await send(20);
  await vi.waitFor(async () => expect(await tickets()).toBe(20), patiently);
  await stopWorkers();
  const copy = `${new URL(database.url).pathname.slice(1)}_backup`;
  await backUp(copy);
  await startWorkers();
  // What happens after the backup is in the log alone once the backup is restored.
  await send(20);
  await vi.waitFor(async () => expect(await tickets()).toBe(40), patiently);
  await expect(catchUp({ cluster: broker.cluster, sql: database.sql, say: () => {} })).rejects.toThrow(
    /workers still run: .*kitchen 1.*; stop them first/,
  );
  await stopWorkers();
  await restore(copy);
  expect(await vi.waitFor(() => tickets(), patiently)).toBe(20);

  const { restored, rewinds } = await catchUp({
    cluster: broker.cluster,
    sql: database.sql,
    say: () => {},
  });
  expect(restored.decisions).toBe(20);
  expect(rewinds.kitchen?.records).toBeGreaterThanOrEqual(20);
  await startWorkers();
  await send(5);
  await vi.waitFor(async () => expect(await tickets()).toBe(45), patiently);
  await stopWorkers();
  const { counts, faults } = judge(
    await readEvidence({ ...config, DATABASE_URL: { text: database.urlAs('operator') } }, { promised: accepted }),
  );
  expect(faults).toEqual([]);
  expect(counts).toMatchObject({ accepted: 45, validated: 45, paid: 45, lost: 0, duplicateEffects: 0, outOfOrder: 0 });
}, 600_000);
