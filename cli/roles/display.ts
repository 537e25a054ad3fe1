import { Command } from 'commander';
import { connectedConfig } from '../../stack/environment.ts';
import { runRole } from '../../telemetry/role.ts';

export function displayCommand(): Command {
  return new Command('display')
    .description('Serves the kitchen display, a live web page of all tickets.')
    .action(async () => {
      const { startDisplay } = await import('../../display/index.ts');
      const { inActiveRegion } = await import('../../region/index.ts');
      const start = inActiveRegion('display', (config, logger) => startDisplay(config, logger));
      await runRole('display', await connectedConfig(), start);
    });
}
