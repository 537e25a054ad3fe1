import { Command } from 'commander';
import { connectedConfig } from '../../stack/environment.ts';
import { runRole } from '../../telemetry/role.ts';
import { listCommand } from '../screens/list.ts';
import { pairCommand } from '../screens/pair.ts';
import { revokeCommand } from '../screens/revoke.ts';
import { screenTokenCommand } from '../screens/token.ts';

export function displayCommand(): Command {
  return new Command('display')
    .description(
      'Serves the kitchen display, a live web page of all tickets. The commands below say which screens may show it.',
    )
    .addCommand(pairCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand())
    .addCommand(screenTokenCommand())
    .action(async () => {
      const { startDisplay } = await import('../../display/index.ts');
      const { inActiveRegion } = await import('../../region/index.ts');
      const start = inActiveRegion('display', (config, logger) => startDisplay(config, logger));
      await runRole('display', await connectedConfig(), start);
    });
}
