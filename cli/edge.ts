import { Command } from 'commander';
import { loadConfig } from '../contracts/config.ts';
import { runRole } from './role.ts';

export function edgeCommand(): Command {
  return new Command('edge')
    .description('Takes orders in a restaurant onto a durable spool and forwards them to the region.')
    .action(async () => {
      const { startEdge } = await import('../edge/edge.ts');
      await runRole('edge', loadConfig(), startEdge);
    });
}
