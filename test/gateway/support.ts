import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '../../contracts/config/config.ts';
import type { Order } from '../../contracts/order/order.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { topics } from '../../contracts/topics.ts';
import { startGateway } from '../../gateway/gateway.ts';
import { openGrpc } from '../../gateway/grpc/server.ts';
import { issueToken } from '../../gateway/identity/issuer.ts';
import type { MenuSource } from '../../gateway/menus/menu-source.ts';
import type { Intake, IntakeOrder } from '../../gateway/orders/intake.ts';
import { startIntakeServer } from '../../gateway/server.ts';
import { applyTopics, createAdmin, type ReadRecord, tailTopic } from '../../kafka/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { kafkaEnvironment, servers } from '../support/servers.ts';

export const storeId = 'us-il-0001';

export function sampleOrder(changes: Partial<Order> = {}): Order {
  return {
    orderId: crypto.randomUUID(),
    storeId,
    channel: 'pos',
    placedAt: '2026-11-22T10:00:00.000Z',
    currency: 'USD',
    items: [{ sku: 'double-cheeseburger', quantity: 2, unitPrice: 599, modifiers: [] }],
    total: 1198,
    customerId: 'c-1',
    payment: { method: 'card', token: 'tok_visa' },
    ...changes,
  };
}

export interface TestServer extends AsyncDisposable {
  role: RunningRole;
  config: Config;
  /** Address of the gateway. */
  url: string;
  admin: string;
  /** An `Authorization` header. */
  bearer(options?: { store?: string; expiresIn?: number }): Promise<string>;
  /** A request with a token for `storeId` and JSON as content type. */
  call(path: string, init?: RequestInit): Promise<Answer>;
  post(order: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what the server answered.
  body: any;
}

type Environment = Record<string, string>;
const logger = createLogger('gateway', 'silent');

/** The real gateway on the real Kafka. */
export async function startTestGateway(environment: Environment = {}): Promise<TestServer> {
  return testServer({ ...kafkaEnvironment(), ...environment }, (config) => startGateway(config, logger));
}

/** The gateway's server with an intake of the test, for states that a healthy log leaves too fast. */
export async function startServerOn(
  intake: Intake,
  environment: Environment = {},
  menus?: MenuSource,
): Promise<TestServer> {
  return testServer(environment, (config) =>
    startIntakeServer({ config, logger, role: 'gateway', intake, menus, openTransport: openGrpc(config) }),
  );
}

/** Starts a server with the gateway's interface, and makes requests to it. */
export async function testServer(
  environment: Environment,
  start: (config: Config) => Promise<RunningRole>,
): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ordermesh-gateway-'));
  const config = loadConfig({
    ORDERMESH_DATA_DIR: dataDir,
    ORDERMESH_GATEWAY_PORT: '0',
    ORDERMESH_GRPC_PORT: '0',
    ORDERMESH_ADMIN_PORT: '0',
    // Tests let tokens expire, and do not wait for the tolerance.
    ORDERMESH_JWT_CLOCK_TOLERANCE: '0s',
    ...environment,
  });
  const role = await start(config);
  const url = role.addresses.gateway ?? '';
  const bearer = async ({ store = storeId, expiresIn = 3_600 } = {}) =>
    config.ORDERMESH_JWKS === undefined ? `Bearer ${await issueToken({ config, store, expiresIn })}` : '';
  const authorization = await bearer();
  const call = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const headers = { authorization, 'content-type': 'application/json', ...(init.headers as Record<string, string>) };
    const response = await fetch(url + path, { ...init, headers });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  };
  return {
    role,
    config,
    url,
    admin: new URL(role.addresses['gateway metrics'] ?? '').origin,
    bearer,
    call,
    post: (order, headers = {}) =>
      call('/v1/orders', {
        method: 'POST',
        headers,
        body: typeof order === 'string' || order instanceof Uint8Array ? (order as string) : JSON.stringify(order),
      }),
    async [Symbol.asyncDispose]() {
      await role.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** An intake that answers when the test says so. */
export class HeldIntake implements Intake {
  readonly taken: IntakeOrder[] = [];
  #pending: ((error: Error | null) => void)[] = [];

  accept(order: IntakeOrder, done: (error: Error | null) => void): void {
    this.taken.push(order);
    this.#pending.push(done);
  }

  get unanswered(): number {
    return this.#pending.length;
  }

  /** Answers everything that is held. */
  settle(error: Error | null = null): void {
    for (const done of this.#pending.splice(0)) done(error);
  }

  readiness(): undefined {}

  async close(): Promise<void> {
    this.settle();
  }
}

/** Creates the missing topics of the mesh. */
export async function applyTestTopics(): Promise<void> {
  const admin = await createAdmin({ clientId: 'test', cluster: servers().cluster });
  await applyTopics(admin, loadConfig({}));
  await admin.close();
}

/** Collects the records of `raw-orders` from now on, by orderId. */
export async function watchRawOrders(): Promise<{ records: Map<string, ReadRecord[]> } & AsyncDisposable> {
  const { cluster } = servers();
  await applyTestTopics();
  const records = new Map<string, ReadRecord[]>();
  const tail = await tailTopic({ cluster, topic: topics.rawOrders, from: 'latest', onTrouble: () => {} }, (record) => {
    const key = record.key?.toString() ?? '';
    records.set(key, [...(records.get(key) ?? []), record]);
  });
  return { records, [Symbol.asyncDispose]: () => tail.close() };
}
