import { Command } from 'commander';
import { connectedConfig } from '../../stack/environment.ts';
import { runRole } from '../../telemetry/role.ts';

export function loyaltyCommand(): Command {
  return new Command('loyalty')
    .description('Serves the loyalty function that Pub/Sub pushes paid orders to.')
    .action(async () => {
      const { startLoyalty } = await import('../../bridge/loyalty/index.ts');
      const { whenDatabaseReady } = await import('../../store/index.ts');
      await runRole('loyalty', await connectedConfig(), whenDatabaseReady('loyalty', startLoyalty));
    });
}
