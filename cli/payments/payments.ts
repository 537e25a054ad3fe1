// The command `ordermesh payments`: what the provider knows of the money.

import { Command } from 'commander';
import { disputesCommand } from './disputes.ts';
import { reconcileCommand } from './reconcile.ts';
import { showCommand } from './show.ts';

export function paymentsCommand(): Command {
  return new Command('payments')
    .description('Shows what became of the money.')
    .addCommand(reconcileCommand())
    .addCommand(showCommand())
    .addCommand(disputesCommand());
}
