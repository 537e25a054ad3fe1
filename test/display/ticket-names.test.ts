import { expect, test } from 'vitest';
import { TicketNames } from '../../display/ticket-names.ts';

const ticket = (orderId: string, items: unknown) =>
  ({ orderId, storeId: 's', channel: 'pos', state: 'open', round: 1, paidAt: new Date(0), items }) as never;

test.each([
  {},
  null,
  [null],
  [{ sku: 5, quantity: 1 }],
  [{ sku: 'cola', quantity: {} }],
  [{ sku: 'cola', quantity: 1, modifiers: {} }],
])('a ticket with the items %j has a card that says so, and is told of once', (items) => {
  const told: string[] = [];
  const names = new TicketNames((orderId, reason) => told.push(`${orderId}: ${reason}`));
  const damaged = ticket('a', items);
  for (let times = 0; times < 2; times++)
    expect(names.view(damaged)).toMatchObject({
      orderId: 'a',
      lines: [{ name: expect.stringContaining('cannot be shown') }],
    });
  expect(names.view(ticket('b', [{ sku: 'cola', quantity: 1 }])).lines).toEqual([
    { name: 'Cola', quantity: 1, modifiers: [] },
  ]);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/^a: items.* must be /);
});
