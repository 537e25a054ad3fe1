import { Command } from 'commander';
import { discardCommand } from './discard.ts';
import { listCommand } from './list.ts';
import { logCommand } from './log.ts';
import { replayCommand } from './replay.ts';
import { showCommand } from './show.ts';
import { stopCommand } from './stop.ts';

export function dltCommand(): Command {
  return new Command('dlt')
    .description('Messages that were parked after their retries, and those parked behind them: look, replay, discard.')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(replayCommand())
    .addCommand(discardCommand())
    .addCommand(stopCommand())
    .addCommand(logCommand());
}
