import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { eventId } from '../../contracts/events.ts';
import { eventHeaders } from '../../contracts/headers.ts';
import { defaultAdminPort, type RoleName } from '../../contracts/roles.ts';
import { topics } from '../../contracts/topics.ts';
import { createProducer } from '../../kafka/index.ts';
import { runningStackEnvironment } from '../../stack/index.ts';
import { sampleOrder } from '../gateway/support.ts';
import { ordermesh, startOrdermesh } from '../support/ordermesh.ts';
import { freePorts } from './free-ports.ts';
import { whatAStrangerGets } from './stranger.ts';

const TIMEOUT_MS = 480_000;
const ADMIN_TOKEN = 'admin-token-that-no-log-may-have';
const STORE = 'us-il-0001';
const roles: RoleName[] = ['gateway', 'order-validator', 'payment', 'kitchen', 'display'];
const cloudRoles: RoleName[] = ['bridge', 'warehouse', 'loyalty'];

/** What no log may have, whatever went wrong. */
const secrets: Record<string, RegExp> = {
  'a payment token': /tok_\w+/,
  'a JSON Web Token': /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/,
  'a token of a screen': /omscr_[\w-]{20,}/,
  'the token of the admin ports': new RegExp(ADMIN_TOKEN),
  'a password in a URL': /:\/\/[^\s/:@"]+:[^\s/@"]+@/,
};

test('beyond loopback a stranger gets health and nothing else, and no log has a secret', {
  timeout: TIMEOUT_MS,
}, async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-doors-'));
  const port = await freePorts(20);
  const shared = {
    ORDERMESH_DATA_DIR: directory,
    ORDERMESH_HOST: '0.0.0.0',
    ORDERMESH_ADMIN_HOST: '0.0.0.0',
    ORDERMESH_ADMIN_TOKEN: ADMIN_TOKEN,
    ORDERMESH_ALLOW_SIMULATION: 'on',
    ORDERMESH_LOG_LEVEL: 'debug',
  };
  const env = {
    ...shared,
    ORDERMESH_GATEWAY_PORT: String(port),
    ORDERMESH_DISPLAY_PORT: String(port + 1),
    ORDERMESH_LOYALTY_PORT: String(port + 2),
    ORDERMESH_GRPC_PORT: String(port + 3),
    ORDERMESH_ADMIN_PORT: String(port + 4),
  };
  const mesh = startOrdermesh(['up', '--rate', '5', '--seed', '7'], env);
  let errors = '';
  mesh.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(mesh, 'exit');
  try {
    let said = '';
    mesh.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const whole = /everything is up after|the Google Cloud part .* is off/;
    await vi.waitFor(() => expect(said).toMatch(whole), { timeout: TIMEOUT_MS, interval: 200 });
    const hasCloud = said.includes('everything is up after');

    const token = (await ordermesh(['token', '--store', STORE], { ORDERMESH_DATA_DIR: directory })).stdout.trim();
    await goWrong(port, token);
    await poison(directory);
    await using agent = await startAgent(directory, shared, port, token);
    const asked = [...roles, ...(hasCloud ? cloudRoles : [])];
    const admin = Object.fromEntries(
      asked.map((role) => [role, port + 4 + defaultAdminPort(role) - defaultAdminPort('gateway')]),
    );
    expect(mesh.exitCode, errors).toBeNull();
    expect(
      await whatAStrangerGets({
        intake: [port, agent.port],
        grpc: port + 3,
        displays: [port + 1, agent.port + 1],
        // The emulator of Pub/Sub signs no pushes, so in a simulation the function takes them from anyone; stranger.test.ts has the guarded one.
        loyalty: undefined,
        admin: { ...admin, edge: agent.port + 2 },
      }),
    ).toEqual([]);
    errors += await agent.stop();
    // The poison was parked: what follows would find nothing in a log that says nothing.
    const validator = path.join(directory, 'logs', 'order-validator.log');
    await vi.waitFor(async () => expect(await readFile(validator, 'utf8')).toMatch(/message parked/), {
      timeout: 60_000,
    });
    mesh.kill('SIGTERM');
    await ended;
    const logs = await Promise.all(
      (await readdir(path.join(directory, 'logs'))).map(async (name) => ({
        name,
        text: await readFile(path.join(directory, 'logs', name), 'utf8'),
      })),
    );
    expect(logs.map(({ name }) => name)).toEqual(expect.arrayContaining(asked.map((role) => `${role}.log`)));
    for (const { name, text } of [...logs, { name: 'standard error', text: errors }])
      for (const [what, pattern] of Object.entries(secrets))
        expect(
          text.split('\n').filter((line) => pattern.test(line)),
          `${name} has ${what}`,
        ).toEqual([]);
  } finally {
    if (mesh.exitCode === null) {
      mesh.kill('SIGTERM');
      await ended;
    }
    await rm(directory, { recursive: true, force: true, maxRetries: 10 });
  }
});

/** Requests that are refused, each with something that must stay out of the log. */
async function goWrong(port: number, token: string): Promise<void> {
  const order = sampleOrder({ payment: { method: 'card', token: 'tok_secret_of_a_guest' } });
  const post = (body: string, authorization = `Bearer ${token}`) =>
    fetch(`http://127.0.0.1:${port}/v1/orders`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body,
    }).then(({ status }) => status);
  const text = JSON.stringify(order);
  expect(await post(text)).toBe(202);
  expect(await post(JSON.stringify({ ...order, total: order.total + 1 }))).toBe(409);
  expect(await post(text.slice(0, -2))).toBe(400);
  // Node's error for this text quotes the token.
  expect(await post(text.replace('"tok_secret_of_a_guest"', 'tok_secret_of_a_guest'))).toBe(400);
  expect(await post(text.replace('"storeId"', '"store"'))).toBe(422);
  expect(await post(text, `Bearer ${token}x`)).toBe(401);
  expect(await post(text, `Bearer ${'tok_'.padEnd(40, 'y')}`)).toBe(401);
}

/** A record that the order-validator cannot read, so that it becomes a dead letter. */
async function poison(directory: string): Promise<void> {
  const config = loadConfig(await runningStackEnvironment(directory));
  const producer = await createProducer({ clientId: 'test', cluster: clusterOf(config), deadlineMs: 30_000 });
  const { orderId } = sampleOrder();
  await producer.send([
    {
      topic: topics.rawOrders,
      key: orderId,
      value: `{"orderId":"${orderId}","payment":{"method":"card","token": tok_of_a_poison}}`,
      headers: eventHeaders({
        id: eventId(orderId, 'order.placed'),
        type: 'order.placed',
        source: '/ordermesh/test',
        time: new Date().toISOString(),
        subject: orderId,
      }),
    },
  ]);
  await producer.close();
}

/** The agent of a restaurant with its own display, beside the mesh. */
async function startAgent(directory: string, shared: Record<string, string>, gateway: number, token: string) {
  const port = gateway + 15;
  const file = async (name: string, text: string) => {
    await writeFile(path.join(directory, name), text, { mode: 0o600 });
    return path.join(directory, name);
  };
  const screen = await ordermesh(['display', 'token', '--store', STORE], { ORDERMESH_DATA_DIR: directory });
  const agent = startOrdermesh(['edge'], {
    ...shared,
    ORDERMESH_GATEWAY_PORT: String(port),
    ORDERMESH_DISPLAY_PORT: String(port + 1),
    ORDERMESH_ADMIN_PORT: String(port + 2),
    ORDERMESH_EDGE_UPSTREAM: `http://127.0.0.1:${gateway}`,
    ORDERMESH_EDGE_TOKEN_FILE: await file('store-token', token),
    ORDERMESH_EDGE_KITCHEN: 'all',
    ORDERMESH_EDGE_KITCHEN_UPSTREAM: `http://127.0.0.1:${gateway + 1}`,
    ORDERMESH_EDGE_KITCHEN_TOKEN_FILE: await file('kitchen-token', screen.stdout),
  });
  let log = '';
  for (const stream of [agent.stdout, agent.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  const gone = once(agent, 'exit');
  const stop = async () => {
    if (agent.exitCode === null) agent.kill('SIGTERM');
    await gone;
    return log;
  };
  await vi.waitFor(async () => expect(await isOpen(port + 2), log).toBe(true), { timeout: 60_000, interval: 200 });
  return { port, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

function isOpen(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  );
}
