import { expect, test } from 'vitest';
import { Admission } from '../../gateway/orders/admission.ts';

function admission(options: { ordersMax?: number; bytesMax?: number; ageMsMax?: number } = {}) {
  const clock = { time: 0, now: () => clock.time };
  return { clock, gate: new Admission({ ordersMax: 10, bytesMax: 1_000, ageMsMax: 5_000, clock, ...options }) };
}

test('refuses above the bound of orders, and admits again after one was answered', () => {
  const { gate } = admission({ ordersMax: 2 });
  expect([gate.admit(1), gate.admit(1), gate.admit(1)]).toEqual([true, true, false]);
  gate.release(1);
  expect(gate.admit(1)).toBe(true);
});

test('refuses above the bound of bytes, those of arriving bodies included', () => {
  const { gate } = admission({ bytesMax: 100 });
  expect(gate.admit(60)).toBe(true);
  expect(gate.hold(30)).toBe(true);
  expect(gate.hold(20)).toBe(false);
  expect(gate.admit(20)).toBe(false);
  gate.unhold(30);
  expect(gate.admit(40)).toBe(true);
});

test('Retry-After follows the measured drain rate, within 1 to 30 seconds', () => {
  const { gate, clock } = admission({ ordersMax: 1_000, bytesMax: 1_000_000 });
  for (let n = 0; n < 500; n++) gate.admit(1);
  expect(gate.retryAfterS()).toBe(5);
  for (let n = 0; n < 20; n++) gate.release(1);
  clock.time = 1_000;
  // 480 in flight, 20 answered per second: half of them are answered in 12 seconds.
  expect(gate.retryAfterS()).toBe(12);
  for (let n = 0; n < 479; n++) gate.release(1);
  clock.time = 2_000;
  expect(gate.retryAfterS()).toBe(1);
});

test('while the oldest order is too old, the bound is what is answered within that age', () => {
  const { gate, clock } = admission({ ordersMax: 1_000, bytesMax: 1_000_000, ageMsMax: 2_000 });
  for (let n = 0; n < 500; n++) gate.admit(1);
  gate.pace(2_000);
  expect(gate.isSlow).toBe(false);
  expect(gate.admit(1)).toBe(true);
  // 100 are answered per second: 200 within the age.
  for (let n = 0; n < 100; n++) gate.release(1);
  clock.time = 1_000;
  gate.pace(2_001);
  expect(gate.isSlow).toBe(true);
  expect(gate.admit(1)).toBe(false);
  while (gate.orders >= 200) gate.release(1);
  expect(gate.admit(1)).toBe(true);
  expect(gate.admit(1)).toBe(false);
  gate.pace(1_999);
  expect(gate.admit(1)).toBe(true);
});

test('while the log takes nothing, one order is admitted, which finds out when the log takes orders again', () => {
  const { gate, clock } = admission({ ageMsMax: 1_000 });
  gate.admit(1);
  clock.time = 5_000;
  gate.pace(5_000);
  expect(gate.admit(1)).toBe(false);
  gate.release(1);
  clock.time = 10_000;
  gate.pace(5_000);
  clock.time = 15_000;
  gate.pace(5_000);
  expect([gate.admit(1), gate.admit(1)]).toEqual([true, false]);
});
