import { Command } from 'commander';
import { outCommand, restoreCommand, stockCommand } from './availability.ts';
import { listCommand } from './list.ts';
import { loadCommand } from './load.ts';

export function menuCommand(): Command {
  return new Command('menu')
    .description('The menu: items, stores and stock, in versions with a time.')
    .addCommand(loadCommand())
    .addCommand(listCommand())
    .addCommand(outCommand())
    .addCommand(restoreCommand())
    .addCommand(stockCommand());
}
