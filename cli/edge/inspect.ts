import { Command } from 'commander';
import { NegativeResult } from '../../contracts/failure.ts';
import type { SpooledOrder } from '../../edge/index.ts';
import { wholeNumber } from '../options.ts';
import { print, printJson, say, table } from '../output.ts';
import { counted, type SelectionOptions, selectionOf, visitSpool, withSelection } from './visiting.ts';

interface InspectOptions extends SelectionOptions {
  limit: number;
  json?: boolean;
}

const PROBLEM_WIDTH = 80;

export function inspectCommand(): Command {
  return withSelection(
    new Command('inspect')
      .description(
        'Lists orders of the spool in the order of acceptance, or shows those that are named with their content.',
      )
      .argument('[orderIds...]', 'orders to show'),
    'all',
  )
    .option('--limit <n>', 'list at most this many', wholeNumber(1), 100)
    .option('--json', 'print an array')
    .action((orderIds: string[], { limit, json, ...options }: InspectOptions) => {
      const selection = selectionOf(orderIds, options);
      const { shown, total } = visitSpool('read', (visit) => ({
        shown: [...visit.orders(selection, limit)],
        total: visit.count(selection),
      }));
      if (total > shown.length) say(`the first ${shown.length} of ${total}; --limit shows more`);
      if (json) printJson(shown.map((order) => asJson(order, orderIds.length > 0)));
      else if (orderIds.length > 0) for (const order of shown) show(order);
      else if (shown.length > 0) {
        print(table(['accepted', 'order', 'state', 'region', 'problem'], shown.map(rowOf)));
        print(counted(total));
      } else print('no orders');
      const missing = orderIds.filter((orderId) => !shown.some((order) => order.orderId === orderId));
      for (const orderId of missing) say(`order ${orderId} is not in the spool`);
      if (missing.length > 0) throw new NegativeResult();
    });
}

function rowOf({ acceptedAt, orderId, state, region, problem }: SpooledOrder): string[] {
  return [timeOf(acceptedAt), orderId, state, region ?? '', (problem ?? '').slice(0, PROBLEM_WIDTH)];
}

function show(order: SpooledOrder): void {
  const { orderId, state, region, problem, acceptedAt, value } = order;
  print(`${orderId}, ${state}${region === null ? '' : ` (${region})`}, accepted at ${timeOf(acceptedAt)}`);
  if (problem !== null) print(`  ${problem}`);
  print(`  ${Buffer.from(value).toString().replaceAll('\n', '\n  ')}`);
}

function asJson({ value, acceptedAt, ...order }: SpooledOrder, withContent: boolean) {
  const content = withContent ? { value: Buffer.from(value).toString() } : {};
  return { ...order, acceptedAt: timeOf(acceptedAt), bytes: value.length, ...content };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
