// The command `ordermesh payments disputes`.

import { Command } from 'commander';
import { formatMoney } from '../../contracts/order/money.ts';
import { connectedConfig } from '../../stack/environment.ts';
import { type Dispute, listDisputes, withDatabase } from '../../store/index.ts';
import { print, printJson, table } from '../output.ts';

const SHOWN_MAX = 1_000;

interface DisputesOptions {
  open?: boolean;
  json?: boolean;
}

export function disputesCommand(): Command {
  return new Command('disputes')
    .description(
      'Lists disputed payments, as the payment provider told of them; `orders show` has the journey of each order.',
    )
    .option('--open', 'only those that are not closed')
    .option('--json', 'print {"disputes":[…]}')
    .action(async ({ open = false, json }: DisputesOptions) => {
      const disputes = await withDatabase(await connectedConfig(), (sql) => listDisputes(sql, { open }, SHOWN_MAX));
      if (json) return printJson({ disputes });
      if (disputes.length === 0) return print('no payment is disputed');
      print(table(['order', 'amount', 'reason', 'status', 'opened', 'answer by', 'dispute'], disputes.map(row)));
    });
}

function row({
  orderId = '(unknown)',
  amount,
  currency,
  reason,
  status,
  openedAt,
  dueBy,
  reference,
}: Dispute): string[] {
  const day = (at: Date | undefined) => at?.toISOString().slice(0, 10) ?? '';
  return [orderId, formatMoney(amount, currency), reason, status, day(openedAt), day(dueBy), reference];
}
