import { Command } from 'commander';
import { applyCommand } from './apply.ts';
import { showCommand } from './show.ts';

export function topicsCommand(): Command {
  return new Command('topics')
    .description('The Kafka topics of the mesh.')
    .addCommand(applyCommand())
    .addCommand(showCommand());
}
