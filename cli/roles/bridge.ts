import { Command } from 'commander';
import { connectedConfig } from '../../stack/environment.ts';
import { runRole } from '../../telemetry/role.ts';

export function bridgeCommand(): Command {
  return new Command('bridge')
    .description('Publishes high-value events to Pub/Sub, in order per order.')
    .action(async () => {
      const { startBridge } = await import('../../bridge/index.ts');
      const { inActiveRegion } = await import('../../region/index.ts');
      const { whenDatabaseReady } = await import('../../store/index.ts');
      const start = inActiveRegion('bridge', (config, logger) => startBridge(config, logger));
      await runRole('bridge', await connectedConfig(), whenDatabaseReady('bridge', start));
    });
}
