import { Argument, Command } from 'commander';
import type { WorkerRole } from '../../actors/index.ts';
import { connectedConfig } from '../../stack/environment.ts';
import { runRole } from '../../telemetry/role.ts';

export function workerCommand(): Command {
  return new Command('worker')
    .description('Runs one of the workers on the orders.')
    .addArgument(new Argument('<role>', 'which one').choices(['order-validator', 'payment', 'kitchen']))
    .action(async (role: WorkerRole) => {
      const { startWorker } = await import('../../actors/index.ts');
      const { inActiveRegion } = await import('../../region/index.ts');
      const { whenDatabaseReady } = await import('../../store/index.ts');
      const start = inActiveRegion(role, (config, logger) => startWorker(role, config, logger));
      await runRole(role, await connectedConfig(), whenDatabaseReady(role, start));
    });
}
