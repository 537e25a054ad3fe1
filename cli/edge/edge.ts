import { Command } from 'commander';
import { loadConfig } from '../../contracts/config/config.ts';
import { runRole } from '../../telemetry/role.ts';
import { acknowledgeCommand } from './acknowledge.ts';
import { discardCommand } from './discard.ts';
import { exportCommand } from './export.ts';
import { inspectCommand } from './inspect.ts';
import { retryCommand } from './retry.ts';
import { edgeScreensCommand } from './screens/screens.ts';
import { statusCommand } from './status.ts';

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
    .addCommand(edgeScreensCommand())
    .action(async () => {
      const { startEdge } = await import('../../edge/index.ts');
      await runRole('edge', loadConfig(), startEdge);
    });
}
