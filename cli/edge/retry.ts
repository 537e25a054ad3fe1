import { Command } from 'commander';
import { NegativeResult, UsageError } from '../../contracts/failure.ts';
import { pastTime } from '../options.ts';
import { print, printJson, say } from '../output.ts';
import { counted, visitSpool } from './visiting.ts';

interface RetryOptions {
  all?: boolean;
  confirmed?: boolean;
  since?: number;
  json?: boolean;
}

export function retryCommand(): Command {
  return new Command('retry')
    .description(
      'Sends orders again that the region refused, once the reason is mended; or, with --confirmed, those that it has.',
    )
    .argument('[orderIds...]', 'orders to send again')
    .option('--all', 'every order that the region refused')
    .option(
      '--confirmed',
      'orders that the region has confirmed, for a region that has lost them; repeats are harmless',
    )
    .option('--since <time>', 'accepted at this time or later: RFC 3339, or how long ago, as 2h', pastTime)
    .option('--json', 'print {"retried":n}')
    .action((orderIds: string[], { all, confirmed, since, json }: RetryOptions) => {
      if (orderIds.length === 0 && !all && since === undefined)
        throw new UsageError('name orders, or say --all or --since');
      const selection = { orderIds: orderIds.length > 0 ? orderIds : undefined, since };
      const retried = visitSpool('write', (visit) =>
        confirmed ? visit.sendAgain(selection) : visit.retryRefused(selection),
      );
      if (json) printJson({ retried });
      else print(`${counted(retried)} will be sent again`);
      const named = new Set(orderIds).size;
      if (retried < named)
        say(`${counted(named - retried)} of those named left alone: 'edge inspect' shows in which state they are`);
      if (retried < Math.max(1, named)) throw new NegativeResult();
    });
}
