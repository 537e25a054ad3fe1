import { Command } from 'commander';
import { discardCommand } from './dlt/discard.ts';
import { listCommand } from './dlt/list.ts';
import { logCommand } from './dlt/log.ts';
import { replayCommand } from './dlt/replay.ts';
import { showCommand } from './dlt/show.ts';
import { stopCommand } from './dlt/stop.ts';

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
