// Parks orders in one region and replays them in the other. Called by main.ts.

import { plainCluster } from '../../contracts/config/kafka-cluster.ts';
import { eventId } from '../../contracts/events.ts';
import { eventHeaders } from '../../contracts/headers.ts';
import type { Order } from '../../contracts/order/order.ts';
import { topics } from '../../contracts/topics.ts';
import { createProducer } from '../../kafka/index.ts';
import { until } from '../../stack/system/index.ts';
import { type DeadLetter, findDecisions, readDeadLetters, withDatabase } from '../../store/index.ts';
import type { GeneratedOrder, Traffic } from '../traffic/generator.ts';
import { runOrdermesh } from './operator.ts';
import type { DrillRegion } from './region.ts';
import { drillTraffic } from './traffic.ts';

const PARKED_MS_MAX = 60_000;
const PRODUCE_MS_MAX = 10_000;

/** An order whose first record is broken, so that it is parked and what comes after it stands behind. */
export interface ParkedOrder {
  orderId: string;
  order: Order;
  /** Records that were sent of it. */
  sent: number;
}

/** Parks orders in one region, looks for them in the other, and replays them there, as an operator does. What is wrong is collected. */
export class ParkedOrders {
  readonly faults: string[] = [];
  readonly #traffic: Traffic;
  readonly #say: (line: string) => void;

  constructor(seed: number, say: (line: string) => void) {
    this.#traffic = drillTraffic(seed + 20);
    this.#say = say;
  }

  /** Parks this many orders there, each with one message behind the broken one. */
  async park(region: DrillRegion, count: number): Promise<ParkedOrder[]> {
    const orders = Array.from({ length: count }, (): GeneratedOrder => this.#traffic.order(Date.now()));
    const parked = orders.map(({ orderId, order }) => ({ orderId, order, sent: 0 }));
    for (const each of parked) {
      await this.#send(region, each, { ...each.order, placedAt: 'never' });
      await this.#send(region, each, each.order);
    }
    await this.expectParked(region, parked);
    return parked;
  }

  /** A message more of each: it has to stand behind the others, in whichever region. */
  async follow(region: DrillRegion, orders: readonly ParkedOrder[]): Promise<void> {
    for (const each of orders) await this.#send(region, each, each.order);
    await this.expectParked(region, orders);
  }

  /** All of their messages wait in that region, each once and in order, and none was worked on. */
  async expectParked({ config, name }: DrillRegion, orders: readonly ParkedOrder[]): Promise<void> {
    for (const { orderId, sent } of orders) {
      let letters: DeadLetter[] = [];
      const complete = await until(PARKED_MS_MAX, async () => {
        letters = await withDatabase(config, (sql) => lettersOf(sql, orderId));
        return letters.length >= sent;
      });
      const broken = letters.map(({ value }) => String(value).includes('"placedAt":"never"'));
      const inOrder = broken.every((isBroken, index) => isBroken === (index === 0));
      const decided = await withDatabase(config, (sql) => findDecisions(sql, [orderId]));
      if (
        !complete ||
        letters.length !== sent ||
        !inOrder ||
        letters.some(({ state }) => state !== 'parked') ||
        decided.size > 0
      )
        this.#fault(
          `${orderId} is not parked as it was in the ${name}: ${describe(letters)}, ${decided.size} decisions, ${sent} were sent`,
        );
    }
    this.#say(`${orders.length} orders are looked for in the ${name}: parked, each message once and in its order`);
  }

  /** Mends the broken message of each, replays it and expects the order to go on. */
  async replay(region: DrillRegion, orders: readonly ParkedOrder[]): Promise<void> {
    for (const { orderId, order } of orders) {
      const patch = JSON.stringify([{ op: 'replace', path: '/placedAt', value: order.placedAt }]);
      const args = ['dlt', 'replay', orderId, '--edit', patch, '--why', 'drill', '--as', 'drill', '--json'];
      await runOrdermesh(args, region.environment(), { accept: [0, 1] });
      const letters = await withDatabase(region.config, (sql) => lettersOf(sql, orderId));
      const decided = await withDatabase(region.config, (sql) => findDecisions(sql, [orderId]));
      if (letters.some(({ state }) => state !== 'replayed') || decided.size !== 1)
        this.#fault(
          `${orderId} was replayed in the ${region.name} and is not released: ${describe(letters)}, ${decided.size} decisions`,
        );
    }
    this.#say(`${orders.length} parked orders were replayed in the ${region.name}`);
  }

  async #send({ brokers }: DrillRegion, parked: ParkedOrder, content: object): Promise<void> {
    const { orderId } = parked;
    const producer = await createProducer({
      clientId: 'drill',
      cluster: plainCluster(brokers),
      deadlineMs: PRODUCE_MS_MAX,
    });
    try {
      const headers = eventHeaders({
        id: eventId(orderId, 'order.placed'),
        type: 'order.placed',
        source: '/ordermesh/drill',
        time: new Date().toISOString(),
        subject: orderId,
      });
      await producer.send([{ topic: topics.rawOrders, key: orderId, value: JSON.stringify(content), headers }]);
      parked.sent++;
    } finally {
      await producer.close();
    }
  }

  #fault(text: string): void {
    this.faults.push(text);
    this.#say(`parked orders: ${text}`);
  }
}

async function lettersOf(sql: Parameters<typeof readDeadLetters>[0], key: string): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const letter of readDeadLetters(sql, { key })) letters.push(letter);
  return letters;
}

function describe(letters: readonly DeadLetter[]): string {
  return letters.map(({ log, offset, state }) => `${log}/${offset} ${state}`).join(', ') || 'no letters';
}
