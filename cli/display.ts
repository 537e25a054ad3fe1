import { Command } from 'commander';
import { connectedConfig } from './environment.ts';
import { runRole } from './role.ts';

export function displayCommand(): Command {
  return new Command('display')
    .description('Serves the kitchen display, a live web page of all tickets.')
    .action(async () => {
      const { startDisplay } = await import('../display/index.ts');
      await runRole('display', await connectedConfig(), (config, logger) => startDisplay(config, logger));
    });
}
