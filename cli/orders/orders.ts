import { Command } from 'commander';
import { sampleCommand } from './sample.ts';
import { sendCommand } from './send.ts';
import { showCommand } from './show.ts';

export function ordersCommand(): Command {
  return new Command('orders')
    .description('Makes, sends and follows orders.')
    .addCommand(sampleCommand())
    .addCommand(sendCommand())
    .addCommand(showCommand());
}
