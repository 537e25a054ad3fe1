// The command `ordermesh payments show`.

import { Command } from 'commander';
import { UsageError } from '../../contracts/failure.ts';
import { formatMoney } from '../../contracts/order/money.ts';
import { isOrderId } from '../../contracts/order/order.ts';
import { connectedConfig } from '../../stack/environment.ts';
import { paymentsOf, withDatabase } from '../../store/index.ts';
import { print, printJson, say } from '../output.ts';

export function showCommand(): Command {
  return new Command('show')
    .description('Shows how an order was paid; `orders show` has its whole journey.')
    .argument('<order-id>', 'UUID of the order')
    .option('--json', 'print {"payment":{…}}; null for an order without a payment')
    .action(async (orderId: string, { json }: { json?: boolean }) => {
      if (!isOrderId(orderId))
        throw new UsageError(`${JSON.stringify(orderId)} is no orderId; it takes a UUID in lower case`);
      const payments = await withDatabase(await connectedConfig(), (database) => paymentsOf(database, [orderId]));
      const payment = payments.get(orderId);
      if (json) printJson({ payment: payment ?? null });
      else if (payment === undefined)
        say(`${orderId} has no payment: it is not validated, was rejected, or waits for the provider`);
      else {
        const { outcome, method, amount, currency, decidedAt } = payment;
        const what =
          outcome.status === 'paid' ? `paid, ${outcome.reference}` : `not paid: ${outcome.code}, ${outcome.detail}`;
        print(`${formatMoney(amount, currency)} by ${method}, ${decidedAt.toISOString()}: ${what}`);
      }
      if (payment === undefined) process.exitCode = 1;
    });
}
