import { expect, test } from 'vitest';
import { formatMoney } from '../../contracts/order/money.ts';

test.each([
  [1_198, 'USD', '11.98 USD'],
  [-300, 'EUR', '-3.00 EUR'],
  [5, 'EUR', '0.05 EUR'],
  [1_198, 'JPY', '1198 JPY'],
  [1_198, 'KRW', '1198 KRW'],
  [1_198, 'KWD', '1.198 KWD'],
  [1_198, 'dollars', '1198 minor units of dollars'],
])('%d of %s is %s', (amount, currency, text) => {
  expect(formatMoney(amount, currency)).toBe(text);
});
