import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { startDisplay } from '../../display/server.ts';
import { choosePorts } from '../../stack/ports.ts';
import { startPostgres } from '../../stack/postgres/server.ts';
import { type Server, Servers } from '../../stack/servers.ts';
import { connectDatabase, type Database } from '../../store/database/database.ts';
import { migrate } from '../../store/schema/migrate.ts';
import { ticketsChannel } from '../../store/tickets/tickets.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../stack/support.ts';
import { kafkaEnvironment } from '../support/servers.ts';
import { TestScreen } from './test-screen.ts';

const STORE = 'us-il-0001';
const soon = { timeout: 30_000, interval: 50 };
const lines: { level: number; msg: string }[] = [];
const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
const said = (pattern: RegExp) => lines.filter(({ msg }) => pattern.test(msg)).length;

let directory: TemporaryDirectory;
let own: Servers;
let server: Server;
let sql: Database;
let display: RunningRole;
let start: () => Promise<Server>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  own = new Servers(directory.path, () => {});
  const { postgres: port = 0 } = await choosePorts(['postgres'], {});
  const home = path.join(directory.path, 'postgres');
  await mkdir(home);
  const settings = { shared_buffers: '16MB', max_connections: '30' };
  let url = '';
  start = async () => {
    const started = await startPostgres({ name: 'postgres', directory: home, port, servers: own, settings });
    url = started.environment.DATABASE_URL ?? '';
    return started.server;
  };
  server = await start();
  sql = connectDatabase({ server: url, connections: 2, application: 'test' });
  await migrate(sql);
  const config = loadConfig({
    ...kafkaEnvironment(),
    DATABASE_URL: url,
    ORDERMESH_DISPLAY_PORT: '0',
    ORDERMESH_ADMIN_PORT: '0',
  });
  display = await startDisplay(config, logger, { stages: [] });
});

afterAll(async () => {
  await display?.close();
  await sql?.end({ timeout: 1 });
  await own?.stopAll('SIGKILL');
  await directory?.[Symbol.asyncDispose]();
});

async function newTicket(): Promise<string> {
  const orderId = randomUUID();
  await sql`
    insert into tickets (order_id, store_id, state, round, channel, items, total, currency, placed_at, paid_at)
    values (${orderId}, ${STORE}, 'open', 1, 'app', ${sql.json([])}, 100, 'USD', now(), now())`;
  await sql`select pg_notify(${ticketsChannel}, ${orderId})`;
  return orderId;
}

async function ready(): Promise<{ status: number; text: string }> {
  const response = await fetch(new URL('/readyz', display.addresses.admin));
  return { status: response.status, text: await response.text() };
}

async function listening(): Promise<string | undefined> {
  const text = await (await fetch(new URL('/metrics', display.addresses.admin))).text();
  return /^ordermesh_display_listening(?:{.*})? (\d)$/m.exec(text)?.[1];
}

test('after a database came back as a standby and was promoted, every screen gets changes', {
  timeout: 120_000,
}, async () => {
  await using screen = await TestScreen.open(display.addresses.display ?? '', STORE);
  await screen.ticket(await newTicket());
  const lastBeat = () => screen.messages.findLast((message) => message.type === 'beat');
  await vi.waitFor(() => expect(lastBeat()).toMatchObject({ database: 'up' }), soon);
  expect(lastBeat()).not.toHaveProperty('stale');
  expect(await listening()).toBe('1');

  await server.stop('SIGKILL');
  await writeFile(path.join(directory.path, 'postgres', 'data', 'standby.signal'), '');
  server = await start();
  // A standby answers queries, so the tickets can be read, but it refuses LISTEN.
  await vi.waitFor(() => expect(lastBeat()).toMatchObject({ database: 'up', stale: { why: 'tickets' } }), soon);
  await vi.waitFor(
    async () =>
      expect(await ready()).toMatchObject({
        status: 503,
        text: expect.stringMatching(/^listening: .* since \d\d:\d\d:\d\d: cannot execute LISTEN during recovery/m),
      }),
    soon,
  );
  expect(await listening()).toBe('0');

  await sql`select pg_promote()`;
  // A later listener gets no notification of this ticket; the snapshot has it.
  const meanwhile = await vi.waitFor(newTicket, soon);
  await screen.ticket(meanwhile);
  await vi.waitFor(() => expect(lastBeat()).not.toHaveProperty('stale'), soon);
  expect(await ready()).toMatchObject({ status: 200 });
  await screen.ticket(await newTicket());
  expect(screen.closed).toBe(false);
  expect([said(/are not heard of/), said(/are heard of again.* after/)]).toEqual([1, 1]);
});

test('a listening connection that is closed is replaced at once', { timeout: 60_000 }, async () => {
  await using screen = await TestScreen.open(display.addresses.display ?? '', STORE);
  const before = said(/are heard of again/);
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'ordermesh-display' and query like '%tickets_proof%'`;
  await vi.waitFor(() => expect(said(/are heard of again/)).toBe(before + 1), soon);
  await screen.ticket(await newTicket());
});
