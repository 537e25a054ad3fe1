import { Command } from 'commander';
import { sampleCommand } from './orders/sample.ts';
import { sendCommand } from './orders/send.ts';
import { showCommand } from './orders/show.ts';

export function ordersCommand(): Command {
  return new Command('orders')
    .description('Makes, sends and follows orders.')
    .addCommand(sampleCommand())
    .addCommand(sendCommand())
    .addCommand(showCommand());
}
