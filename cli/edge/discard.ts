import { Command } from 'commander';
import { NegativeResult } from '../../contracts/failure.ts';
import { print, printJson } from '../output.ts';
import { counted, visitSpool } from './visiting.ts';

export function discardCommand(): Command {
  return new Command('discard')
    .description(
      'Takes orders that the region refused out of the spool, for good. Others cannot be discarded. Export them first.',
    )
    .argument('<orderIds...>', 'orders to discard')
    .option('--json', 'print {"discarded":n}')
    .action((orderIds: string[], { json }: { json?: boolean }) => {
      const discarded = visitSpool('write', (visit) => visit.discardRefused({ orderIds }));
      if (json) printJson({ discarded });
      else print(`discarded ${counted(discarded)}`);
      if (discarded < orderIds.length) throw new NegativeResult();
    });
}
