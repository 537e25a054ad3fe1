import { Command } from 'commander';
import { loadConfig } from '../contracts/config.ts';
import { acknowledgeCommand } from './edge/acknowledge.ts';
import { discardCommand } from './edge/discard.ts';
import { exportCommand } from './edge/export.ts';
import { inspectCommand } from './edge/inspect.ts';
import { retryCommand } from './edge/retry.ts';
import { statusCommand } from './edge/status.ts';
import { runRole } from './role.ts';

export function edgeCommand(): Command {
  return new Command('edge')
    .description(
      'Takes orders in a restaurant onto a durable spool and forwards them to the region. The commands below look at the spool, whether the agent runs or not.',
    )
    .addCommand(statusCommand())
    .addCommand(inspectCommand())
    .addCommand(exportCommand())
    .addCommand(retryCommand())
    .addCommand(discardCommand())
    .addCommand(acknowledgeCommand())
    .action(async () => {
      const { startEdge } = await import('../edge/edge.ts');
      await runRole('edge', loadConfig(), startEdge);
    });
}
