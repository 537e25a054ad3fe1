// The command `ordermesh payments reconcile`.

import { Command } from 'commander';
import {
  openProvider,
  paymentSettings,
  type Reconciliation,
  type ReconciliationFault,
  reconcile,
} from '../../actors/payments.ts';
import { formatMoney } from '../../contracts/order/money.ts';
import { connectedConfig } from '../../stack/environment.ts';
import { withDatabase } from '../../store/index.ts';
import { pastTime } from '../options.ts';
import { print, printJson, say, table } from '../output.ts';

const DAY_MS = 24 * 60 * 60_000;
const FAULTS_SHOWN_MAX = 100;

interface ReconcileOptions {
  since?: number;
  until?: number;
  json?: boolean;
}

export function reconcileCommand(): Command {
  return new Command('reconcile')
    .description(
      "Compares the payments of orders with the provider's own list, to the minor unit; exit 1 where they differ.",
    )
    .option(
      '--since <time>',
      'from this time on, or how long ago such as 2h; by default a day before the end',
      pastTime,
    )
    .option('--until <time>', 'before this time; by default now', pastTime)
    .option('--json', 'print {"since","until","sums":[…],"inFlight","disputes","faults":[…]}')
    .action(async ({ until = Date.now(), since = until - DAY_MS, json }: ReconcileOptions) => {
      const period = { since: new Date(since), until: new Date(until) };
      const config = await connectedConfig();
      const provider = await openProvider(paymentSettings(config));
      try {
        const found = await withDatabase(config, (database) => reconcile(provider, database, period));
        if (json) printJson({ since: period.since, until: period.until, ...found });
        else show(found);
        if (found.faults.length > 0) process.exitCode = 1;
      } finally {
        await provider.close();
      }
    });
}

function show({ sums, inFlight, disputes, faults }: Reconciliation): void {
  if (sums.length === 0) print('no charges in this time');
  else {
    const rows = sums.map(({ currency, charges, ledger, provider }) => [
      charges,
      formatMoney(ledger, currency),
      formatMoney(provider, currency),
    ]);
    print(table(['charges', 'ledger', 'provider'], rows));
  }
  if (inFlight > 0) say(`${inFlight} charges of the last minutes have no payment yet; ask again in five minutes`);
  if (disputes > 0) say(`${disputes} disputes: \`ordermesh payments disputes\``);
  if (faults.length === 0) return;
  print(table(['order', 'fault', ''], faults.slice(0, FAULTS_SHOWN_MAX).map(row)));
  const more = faults.length - FAULTS_SHOWN_MAX;
  if (more > 0) say(`and ${more} more; --json has all`);
}

function row({ orderId = '(none)', kind, detail }: ReconciliationFault): string[] {
  return [orderId, kind, detail];
}
