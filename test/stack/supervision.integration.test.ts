import { expect, test, vi } from 'vitest';
import { startStack } from '../../stack/index.ts';
import { isAlive } from '../../stack/process-identity.ts';
import { readState, type ServerRecord } from '../../stack/state.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { closing, postgresOnlyConfig, query, temporaryDirectory } from './support.ts';

const logger = createLogger('test', 'silent');
const soon = { timeout: 40_000, interval: 50 };

test('a server that dies is started again, one that is stopped is named, each state once', async () => {
  await using directory = await temporaryDirectory();
  const lines: string[] = [];
  const config = postgresOnlyConfig(directory.path);
  await using stack = closing(await startStack(config, logger, { onProgress: (line) => lines.push(line) }));
  const server = async (): Promise<ServerRecord> => {
    const [record] = (await readState(directory.path)).servers;
    if (record === undefined) throw new Error('no server is known');
    return record;
  };
  const works = () => query(stack, (sql) => sql`select 1 as one`);
  const first = await server();
  lines.length = 0;

  for (const round of [1, 2]) {
    process.kill((await server()).pid, 'SIGKILL');
    await vi.waitFor(() => expect(lines).toHaveLength(2 * round), soon);
    expect(await works()).toEqual([{ one: 1 }]);
  }
  const second = await server();
  expect(second.pid).not.toBe(first.pid);
  expect(await isAlive(second)).toBe(true);
  const [ended, serves] = lines.splice(0);
  expect(ended).toMatch(
    /^PostgreSQL ended by itself \(it was ended by SIGKILL; its log is .*postgres\.log\); it is started again$/,
  );
  expect(serves).toMatch(/^PostgreSQL serves again after \d+(\.\d)? s$/);

  process.kill(second.pid, 'SIGSTOP');
  try {
    await vi.waitFor(() => expect(lines).toHaveLength(1), soon);
    expect(lines[0]).toMatch(/^PostgreSQL has not answered since \d\d:\d\d:\d\d: no answer within 5 s$/);
  } finally {
    process.kill(second.pid, 'SIGCONT');
  }
  await vi.waitFor(() => expect(lines).toHaveLength(2), soon);
  expect(lines[1]).toMatch(/^PostgreSQL answers again after \d+ s$/);
  expect((await server()).pid).toBe(second.pid);

  // Ended in good order while it is being started again.
  process.kill(second.pid, 'SIGKILL');
  await vi.waitFor(() => expect(lines).toHaveLength(3), soon);
  await stack.close();
  expect((await readState(directory.path)).servers).toEqual([]);
}, 120_000);
