import { randomUUID } from 'node:crypto';
import { type Menu, parseMenu } from '../../contracts/order/menu.ts';
import { type Order, orderTotal } from '../../contracts/order/order.ts';
import { type Actor, type Item, type Message, type Outputs, skip } from '../../runtime/actor.ts';
import type { Database, TurnSql } from '../../store/database/database.ts';

/** A small chain: two stores, three items, one modifier. */
export function testMenu(change: Partial<Menu> = {}): Menu {
  return parseMenu({
    currency: 'USD',
    items: [
      {
        sku: 'burger',
        name: 'Burger',
        category: 'grill',
        price: 599,
        modifiers: [{ sku: 'cheese', name: 'Cheese', price: 50 }],
      },
      { sku: 'fries', name: 'Fries', category: 'sides', price: 249, modifiers: [] },
      { sku: 'shake', name: 'Shake', category: 'drinks', price: 399, modifiers: [] },
    ],
    stores: [
      { storeId: 'us-il-0001', name: 'Lakeside', timezone: 'America/Chicago', opens: '06:00', closes: '23:00' },
      { storeId: 'us-il-0002', name: 'Riverside', timezone: 'America/Chicago', opens: '06:00', closes: '23:00' },
    ],
    stock: { default: 1_000 },
    ...change,
  });
}

/** A valid order of `testMenu`, at noon in Chicago; its total follows from the items unless given. */
export function testOrder(change: Partial<Order> = {}): Order {
  const items = change.items ?? [{ sku: 'burger', quantity: 1, unitPrice: 599 }];
  return {
    orderId: randomUUID(),
    storeId: 'us-il-0001',
    channel: 'pos',
    placedAt: '2026-11-22T18:00:00.000Z',
    currency: 'USD',
    items,
    total: orderTotal({ items }),
    payment: { method: 'card', token: `tok_${randomUUID()}` },
    ...change,
  };
}

let nextOffset = 0;

export function testMessage(
  key: string,
  value: unknown,
  { type, ...change }: Partial<Omit<Message, 'header'>> & { type?: string } = {},
): Message {
  nextOffset++;
  return {
    topic: 'raw-orders',
    partition: 0,
    offset: nextOffset,
    timestamp: Date.UTC(2026, 10, 22, 18, 0, 1),
    key,
    value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    headers: {
      traceparent: Buffer.from('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
      ...(type === undefined ? {} : { ce_type: Buffer.from(type) }),
    },
    ...change,
    header(name) {
      return this.headers[name]?.toString();
    },
  };
}

export function orderMessage(order: Order): Message {
  return testMessage(order.orderId, order);
}

/** One turn, as in the runtime: decode, prepare, apply in one transaction. Outputs by message, without skipped ones. */
export async function turn<In, Prepared>(
  database: Database,
  actor: Actor<In, Prepared>,
  messages: readonly Message[],
  during?: (sql: TurnSql) => Promise<void>,
): Promise<readonly Outputs[]> {
  const items: Item<In, Prepared>[] = [];
  for (const message of messages) {
    const input = actor.decode(message);
    if (input === skip) continue;
    items.push({
      message,
      input,
      prepared: (actor.prepareAtOnce?.(input, message) ?? (await actor.prepare?.(input, message))) as Prepared,
    });
  }
  return database.begin(async (driver) => {
    const sql = driver as unknown as TurnSql;
    const outputs = (await actor.apply?.(items, sql)) ?? [];
    await during?.(sql);
    return outputs;
  }) as Promise<readonly Outputs[]>;
}

/** The only output of a message: its type, its value and its bytes. */
export function event(outputs: Outputs | undefined): {
  type: string;
  topic: string;
  wire: string;
  value: Record<string, unknown>;
} {
  const [record] = outputs ?? [];
  if (record === undefined || record.value === null) throw new Error('the message has no output');
  return {
    type: String(record.headers?.ce_type),
    topic: record.topic,
    wire: JSON.stringify(record),
    value: JSON.parse(record.value.toString()),
  };
}

export function codesOf(outputs: Outputs | undefined): string[] {
  const { reasons } = event(outputs).value as { reasons?: { code: string }[] };
  return (reasons ?? []).map((reason) => reason.code);
}
