import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import { type Config, loadConfig } from '../../contracts/config/config.ts';
import type { Order } from '../../contracts/order/order.ts';
import type { RunningRole } from '../../contracts/roles.ts';
import { startEdge } from '../../edge/edge.ts';
import type { EdgeStatus } from '../../edge/status.ts';
import { startGateway } from '../../gateway/gateway.ts';
import { issueToken } from '../../gateway/identity/issuer.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { applyTestTopics } from '../gateway/support.ts';
import { kafkaEnvironment, servers } from '../support/servers.ts';
import { Line } from './line.ts';
import { storeId } from './order.ts';

const logger = createLogger('test', 'silent');

/** A restaurant with its agent, the line to its region, and real gateways at the other end. */
export class Restaurant {
  readonly directory: string;
  readonly line: Line;
  readonly token: string;
  readonly #roles: RunningRole[] = [];

  private constructor(directory: string, line: Line, token: string) {
    this.directory = directory;
    this.line = line;
    this.token = token;
  }

  static async open(lineHost?: string): Promise<Restaurant> {
    await applyTestTopics();
    const directory = await mkdtemp(join(tmpdir(), 'restaurant-'));
    const token = await issueToken({ config: loadConfig({ ORDERMESH_DATA_DIR: directory }), store: storeId });
    await writeFile(join(directory, 'token'), token);
    return new Restaurant(directory, await Line.open(lineHost), token);
  }

  /** Environment of the agent. */
  environment(more: Record<string, string> = {}): Record<string, string> {
    return {
      ORDERMESH_DATA_DIR: this.directory,
      ORDERMESH_GATEWAY_PORT: '0',
      ORDERMESH_ADMIN_PORT: '0',
      ORDERMESH_EDGE_UPSTREAM: this.line.url,
      ORDERMESH_EDGE_TOKEN_FILE: join(this.directory, 'token'),
      ORDERMESH_EDGE_BACKOFF_MAX: '300ms',
      ORDERMESH_EDGE_PROBE_INTERVAL: '100ms',
      ORDERMESH_EDGE_DISK_FREE_MIN: '1MiB',
      ...more,
    };
  }

  async agent(more: Record<string, string> = {}): Promise<Agent> {
    const config = loadConfig(this.environment(more));
    const role = await startEdge(config, logger);
    this.#roles.push(role);
    return new Agent(role, this.token);
  }

  /** A gateway of this region on the real Kafka, with the same issuer as the restaurant. */
  async gateway(region: string, more: Record<string, string> = {}): Promise<RunningRole & { url: string }> {
    const config: Config = loadConfig({
      ...kafkaEnvironment(),
      DATABASE_URL: servers().databaseUrl,
      ORDERMESH_DATA_DIR: this.directory,
      ORDERMESH_GATEWAY_PORT: '0',
      ORDERMESH_GRPC_PORT: '0',
      ORDERMESH_ADMIN_PORT: '0',
      REGION: region,
      ...more,
    });
    const role = await startGateway(config, logger);
    this.#roles.push(role);
    return { ...role, url: role.addresses.gateway ?? '' };
  }

  /** Stops agents and gateways. */
  async stop(): Promise<void> {
    for (const role of this.#roles.splice(0).reverse()) await role.close();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.line.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** An agent, as a point of sale and an operator use it. */
export class Agent {
  readonly url: string;
  readonly admin: string;
  readonly role: RunningRole;
  readonly #token: string;

  constructor(role: RunningRole, token: string) {
    this.role = role;
    this.#token = token;
    this.url = role.addresses.edge ?? '';
    this.admin = new URL(role.addresses['edge status'] ?? '').origin;
  }

  post(order: unknown): Promise<Response> {
    return postOrder(this.url, order, this.#token);
  }

  /** Sends orders and expects each to be accepted. */
  async accept(orders: readonly Order[]): Promise<string[]> {
    for (const order of orders) {
      const response = await this.post(order);
      if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
    }
    return orders.map(({ orderId }) => orderId);
  }

  async status(): Promise<EdgeStatus> {
    return (await (await fetch(`${this.admin}/status.json`)).json()) as EdgeStatus;
  }

  async statusOf(
    orderId: string,
  ): Promise<{ status: number; body: { status?: string; history?: { detail?: string }[] } }> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const response = await fetch(`${this.url}/v1/orders/${orderId}`, { headers });
    return { status: response.status, body: (await response.json()) as { status?: string } };
  }
}

export function postOrder(url: string, order: unknown, token: string): Promise<Response> {
  return fetch(`${url}/v1/orders`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(order, null, 2),
  });
}

/** An agent in a process of its own. `within` is a command that runs it, such as `ip netns exec …`. */
export function spawnAgent(env: Record<string, string>, within: readonly string[] = []): ChildProcess {
  const program = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
  const { PATH = '' } = process.env;
  const [command = '', ...args] = [...within, process.execPath, program, 'edge'];
  return spawn(command, args, { env: { PATH, ...env }, stdio: ['ignore', 'ignore', 'inherit'] });
}

export async function takesOrders(url: string, agent: ChildProcess): Promise<void> {
  await vi.waitFor(
    async () => {
      expect(agent.exitCode).toBeNull();
      expect((await fetch(`${url}/openapi.json`, { method: 'HEAD' })).status).toBe(200);
    },
    { timeout: 20_000, interval: 10 },
  );
}
