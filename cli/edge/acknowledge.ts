import { Command } from 'commander';
import { NegativeResult } from '../../contracts/failure.ts';
import { print, printJson } from '../output.ts';
import { visitSpool } from './visiting.ts';

export function acknowledgeCommand(): Command {
  return new Command('acknowledge')
    .description(
      'Says that the orders are settled which a damaged spool may have lost: `edge status` and the alert go back to normal.',
    )
    .option('--json', 'print {"acknowledged":text or null}')
    .action(({ json }: { json?: boolean }) => {
      const acknowledged = visitSpool('write', (visit) => visit.acknowledgeLoss());
      if (json) printJson({ acknowledged });
      else print(acknowledged === null ? 'there is no damage to acknowledge' : `acknowledged: ${acknowledged}`);
      if (acknowledged === null) throw new NegativeResult();
    });
}
