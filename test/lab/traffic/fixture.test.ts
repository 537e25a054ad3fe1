import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { orderSchema } from '../../../contracts/order/order.ts';
import { compileValidator } from '../../../contracts/validation.ts';
import { wholeDay } from '../../../lab/traffic/whole-day.ts';

const fixture = new URL('../../../lab/fixtures/orders-5000.ndjson', import.meta.url);
const midnightInChicago = Date.parse('2026-11-23T06:00:00Z');

test('the fixture is what the generator makes of its seed', () => {
  const lines = readFileSync(fixture, 'utf8').trimEnd().split('\n');
  const made = [...wholeDay(20_261_123, midnightInChicago, 5_000)];
  expect(lines).toHaveLength(5_000);
  expect(lines).toEqual(made.map(({ body }) => body));
});

test('the fixture holds malformed lines, and no two orders with one id', () => {
  const validate = compileValidator(orderSchema);
  const lines = readFileSync(fixture, 'utf8').trimEnd().split('\n');
  const orders = lines.flatMap((line) => {
    try {
      const order = validate(JSON.parse(line));
      return order.ok ? [order.value] : [];
    } catch {
      return [];
    }
  });
  expect(orders.length).toBeLessThan(5_000);
  expect(orders.length).toBeGreaterThan(4_980);
  expect(new Set(orders.map(({ orderId }) => orderId)).size).toBe(orders.length);
});

test('a day has its lunch and dinner peaks', () => {
  const perHour = new Map<number, number>();
  for (const { order } of wholeDay(1, midnightInChicago, 5_000)) {
    const hour = Math.floor((Date.parse(order.placedAt) - midnightInChicago) / 3_600_000);
    perHour.set(hour, (perHour.get(hour) ?? 0) + 1);
  }
  const at = (hour: number) => perHour.get(hour) ?? 0;
  expect(at(12)).toBeGreaterThan(1.1 * at(15));
  expect(at(18)).toBeGreaterThan(1.1 * at(15));
  expect(at(3)).toBeLessThan(0.2 * at(12));
});
