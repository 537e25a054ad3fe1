import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { createAdmin } from '../../kafka/index.ts';
import { runningStackEnvironment, StackRunningError, startStack } from '../../stack/index.ts';
import { findPubsubJar } from '../../stack/pubsub/jar.ts';
import { readState } from '../../stack/state.ts';
import { createLogger } from '../../telemetry/logger.ts';
import {
  alive,
  aliveServers,
  closing,
  postgresOnly,
  postgresOnlyConfig,
  query,
  temporaryDirectory,
} from './support.ts';

const logger = createLogger('test', 'silent');
const runStack = fileURLToPath(new URL('run-stack.ts', import.meta.url));

test('all parts serve, and a second start finds their data at the same addresses', async () => {
  await using directory = await temporaryDirectory();
  const config = loadConfig({ ORDERMESH_DATA_DIR: directory.path });
  const lines: string[] = [];
  const first = await startStack(config, logger, { onProgress: (line) => lines.push(line) });
  {
    await using stack = closing(first);
    expect(lines.filter((line) => /serves .* \(\d+\.\d s\)$/.test(line))).toHaveLength(stack.googleCloud ? 4 : 2);
    await query(stack, (sql) => sql`create table kept (id int)`);
    await using admin = await adminOf(stack.environment);
    await admin.createTopics([{ topic: 'kept', partitions: 3, replicationFactor: 1 }]);
  }
  await using stack = closing(await startStack(config, logger));
  expect(stack.environment).toEqual(first.environment);
  expect(await query(stack, (sql) => sql`select * from kept`)).toEqual([]);
  await using admin = await adminOf(stack.environment);
  expect(await admin.listTopics()).toContain('kept');
  expect(await admin.offsets('kept')).toHaveLength(3);
}, 120_000);

test('configured servers are not started and their addresses passed on', async () => {
  await using directory = await temporaryDirectory();
  await using stack = closing(await startStack(postgresOnlyConfig(directory.path), logger));
  expect(stack.environment).toMatchObject({ KAFKA_BROKERS: '127.0.0.1:1', GOOGLE_CLOUD_PROJECT: 'ordermesh-local' });
  expect((await aliveServers(directory.path)).map(({ name }) => name)).toEqual(['postgres']);
  // Durability is not traded for speed.
  const setting = (name: string) => query(stack, (sql) => sql`select current_setting(${name}) as value`);
  for (const name of ['fsync', 'synchronous_commit', 'full_page_writes'])
    expect(await setting(name)).toEqual([{ value: 'on' }]);
});

test('close is idempotent and leaves no process', async () => {
  await using directory = await temporaryDirectory();
  const stack = await startStack(postgresOnlyConfig(directory.path), logger);
  const { servers } = await readState(directory.path);
  await Promise.all([stack.close(), stack.close()]);
  expect(servers).toHaveLength(1);
  expect(await alive(servers)).toEqual([]);
});

test('a second run in the same directory is refused, and other processes find the first', async () => {
  await using directory = await temporaryDirectory();
  expect(await runningStackEnvironment(directory.path)).toBeUndefined();
  const stack = await startStack(postgresOnlyConfig(directory.path), logger);
  {
    await using running = closing(stack);
    expect(await runningStackEnvironment(directory.path)).toEqual(running.environment);
    const second = startStack(postgresOnlyConfig(directory.path), logger);
    await expect(second).rejects.toThrow(StackRunningError);
    await expect(second).rejects.toThrow(/process \d+\) uses .* ORDERMESH_DATA_DIR/);
    expect(await query(running, (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }]);
  }
  expect(await runningStackEnvironment(directory.path)).toBeUndefined();
});

test('a port that was taken meanwhile is chosen again, with the data kept', async () => {
  await using directory = await temporaryDirectory();
  const config = postgresOnlyConfig(directory.path);
  const first = await startStack(config, logger);
  await query(first, (sql) => sql`create table kept (id int)`);
  await first.close();
  const port = (await readState(directory.path)).ports.postgres;
  const squatter = createServer().listen(port, '127.0.0.1');
  await once(squatter, 'listening');
  try {
    await using stack = closing(await startStack(config, logger));
    expect((await readState(directory.path)).ports.postgres).not.toBe(port);
    expect(await query(stack, (sql) => sql`select * from kept`)).toEqual([]);
  } finally {
    squatter.close();
  }
});

describe('a stack whose process ends', () => {
  test('by kill -9 leaves no server, and the next start finds the data', async () => {
    await using directory = await temporaryDirectory();
    const runner = await startRunner(directory.path);
    const { servers } = await readState(directory.path);
    expect(await alive(servers)).toHaveLength(1);
    runner.kill('SIGKILL');
    await vi.waitFor(async () => expect(await alive(servers)).toEqual([]), { timeout: 20_000 });
    await using stack = closing(await startStack(postgresOnlyConfig(directory.path), logger));
    expect(await query(stack, (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }]);
  });

  test('by kill -9 is taken over at once, while its servers still stop', async () => {
    await using directory = await temporaryDirectory();
    const runner = await startRunner(directory.path);
    runner.kill('SIGKILL');
    await once(runner, 'exit');
    await using stack = closing(await startStack(postgresOnlyConfig(directory.path), logger));
    expect(await query(stack, (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }]);
  });

  test('because the process that started it was killed stops cleanly', async () => {
    await using directory = await temporaryDirectory();
    const shell = spawn('sh', ['-c', `'${process.execPath}' '${runStack}' --with-parent; :`], {
      env: { PATH: process.env.PATH, ...postgresOnly(directory.path) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(shell.stdout, 'data');
    const { servers } = await readState(directory.path);
    expect(await alive(servers)).toHaveLength(1);
    shell.kill('SIGKILL');
    await vi.waitFor(async () => expect((await readState(directory.path)).servers).toEqual([]), { timeout: 20_000 });
    expect(await alive(servers)).toEqual([]);
  });
});

test('a server that cannot start is named with the end of its log, and nothing keeps running', async () => {
  await using directory = await temporaryDirectory();
  const config = postgresOnlyConfig(directory.path);
  await (await startStack(config, logger)).close();
  await writeFile(`${directory.path}/postgres/data/PG_VERSION`, '9\n');
  await expect(startStack(config, logger)).rejects.toThrow(
    /postgres does not start: it ended with status 1\n.*PostgreSQL version/s,
  );
  expect(await aliveServers(directory.path)).toEqual([]);
  expect(await runningStackEnvironment(directory.path)).toBeUndefined();
});

test('without the Pub/Sub emulator the run goes on without Google Cloud', async () => {
  await using directory = await temporaryDirectory();
  const { PUBSUB_EMULATOR_HOST: _, ...environment } = postgresOnly(directory.path);
  const lines: string[] = [];
  const options = { gcloudInstallations: [directory.path], onProgress: (line: string) => lines.push(line) };
  await using stack = closing(await startStack(loadConfig(environment), logger, options));
  expect(stack.googleCloud).toBe(false);
  expect(stack.environment).not.toHaveProperty('PUBSUB_EMULATOR_HOST');
  expect(lines[0]).toMatch(/not installed.*gcloud components install pubsub-emulator/);
});

test('a configured jar of the Pub/Sub emulator that is not there is named', async () => {
  await using directory = await temporaryDirectory();
  const missing = { ORDERMESH_PUBSUB_EMULATOR_JAR: `${directory.path}/none.jar` };
  await expect(findPubsubJar(missing)).rejects.toThrow(
    /ORDERMESH_PUBSUB_EMULATOR_JAR is .*none.jar, which isn't there/,
  );
});

async function startRunner(dataDir: string): Promise<ChildProcess> {
  const runner = spawn(process.execPath, [runStack], {
    env: { PATH: process.env.PATH, ...postgresOnly(dataDir) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(runner.stdout, 'data');
  return runner;
}

async function adminOf(environment: Record<string, string>) {
  const admin = await createAdmin({ clientId: 'test', cluster: plainCluster([environment.KAFKA_BROKERS ?? '']) });
  return { ...admin, [Symbol.asyncDispose]: () => admin.close() };
}
