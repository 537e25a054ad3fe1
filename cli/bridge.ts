import { Command } from 'commander';
import { connectedConfig } from './environment.ts';
import { runRole } from './role.ts';

export function bridgeCommand(): Command {
  return new Command('bridge')
    .description('Publishes high-value events to Pub/Sub, in order per order.')
    .action(async () => {
      const { startBridge } = await import('../bridge/bridge.ts');
      await runRole('bridge', await connectedConfig(), startBridge);
    });
}
