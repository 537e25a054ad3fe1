import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import { expect, test, vi } from 'vitest';
import type { EdgeStatus } from '../../edge/status.ts';
import { watchRawOrders } from '../gateway/support.ts';
import { newOrder } from './order.ts';
import { postOrder, Restaurant, spawnAgent, takesOrders } from './restaurant.ts';

const ORDERS = 200;
const DELAY_MS = 500;
const LOSS_PERCENT = 30;
const EDGE_PORT = 8_080;
const ADMIN_PORT = 9_472;
const ADMIN_TOKEN = 'status-of-the-agent';

const canShape = userInfo().uid === 0 && ['ip', 'nft'].every((tool) => spawnSync(tool, ['-V']).status === 0);

/** A network namespace with one link to us, on which packets of the line to the region get lost in both directions. */
class LossyNetwork implements Disposable {
  readonly host: string;
  readonly agent: string;
  readonly within: readonly string[];
  readonly #name = `edge${process.pid % 10_000}`;

  constructor() {
    const net = `10.77.${process.pid % 250}`;
    this.host = `${net}.1`;
    this.agent = `${net}.2`;
    this.within = ['ip', 'netns', 'exec', this.#name];
    const [ours, theirs] = [`${this.#name}h`, `${this.#name}a`];
    sh('ip', 'netns', 'add', this.#name);
    sh('ip', 'link', 'add', ours, 'type', 'veth', 'peer', 'name', theirs, 'netns', this.#name);
    sh('ip', 'addr', 'add', `${this.host}/24`, 'dev', ours);
    sh('ip', 'link', 'set', ours, 'up');
    sh(...this.within, 'ip', 'addr', 'add', `${this.agent}/24`, 'dev', theirs);
    sh(...this.within, 'ip', 'link', 'set', theirs, 'up');
    sh(...this.within, 'ip', 'link', 'set', 'lo', 'up');
  }

  lose(percent: number, port: string): void {
    sh(...this.within, 'nft', 'add', 'table', 'inet', 'loss');
    for (const [hook, end] of [
      ['input', 'sport'],
      ['output', 'dport'],
    ] as const) {
      sh(...this.within, 'nft', `add chain inet loss ${hook} { type filter hook ${hook} priority 0; }`);
      sh(
        ...this.within,
        'nft',
        `add rule inet loss ${hook} tcp ${end} ${port} numgen random mod 100 < ${percent} drop`,
      );
    }
  }

  [Symbol.dispose](): void {
    sh('ip', 'netns', 'del', this.#name);
  }
}

function sh(...[command = '', ...args]: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

test.skipIf(!canShape)(
  `brings every order over a line that loses ${LOSS_PERCENT} % of its packets and takes ${DELAY_MS} ms (needs root, ip and nft)`,
  async () => {
    using network = new LossyNetwork();
    const restaurant = await Restaurant.open(network.host);
    const raw = await watchRawOrders();
    restaurant.line.to((await restaurant.gateway('east')).url).delay(DELAY_MS);
    network.lose(LOSS_PERCENT, new URL(restaurant.line.url).port);
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const env = restaurant.environment({
      ORDERMESH_HOST: network.agent,
      ORDERMESH_ADMIN_HOST: network.agent,
      ORDERMESH_ADMIN_TOKEN: ADMIN_TOKEN,
      ORDERMESH_ALLOW_SIMULATION: 'on',
      ORDERMESH_GATEWAY_PORT: String(EDGE_PORT),
      ORDERMESH_ADMIN_PORT: String(ADMIN_PORT),
      ORDERMESH_LOG_LEVEL: 'error',
    });
    const agent = spawnAgent(env, network.within);
    try {
      const url = `http://${network.agent}:${EDGE_PORT}`;
      await takesOrders(url, agent);
      const orders = Array.from({ length: ORDERS }, () => newOrder());
      for (const order of orders) expect((await postOrder(url, order, restaurant.token)).status).toBe(202);
      await vi.waitFor(
        async () => {
          const status = await (await fetch(`http://${network.agent}:${ADMIN_PORT}/status.json`, { headers })).json();
          expect((status as EdgeStatus).spool).toMatchObject({ unsent: 0, refused: 0, confirmed: ORDERS });
        },
        { timeout: 120_000, interval: 500 },
      );
      await vi.waitFor(() => expect(orders.filter(({ orderId }) => !raw.records.has(orderId))).toEqual([]), 20_000);
    } finally {
      agent.kill('SIGTERM');
      await once(agent, 'exit');
      await restaurant.close();
      await raw[Symbol.asyncDispose]();
    }
  },
  180_000,
);
