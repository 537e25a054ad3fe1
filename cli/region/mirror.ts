import path from 'node:path';
import { Command } from 'commander';
import { connectedConfig } from '../../stack/environment.ts';
import { runRole } from '../../telemetry/role.ts';

export function mirrorCommand(): Command {
  return new Command('mirror')
    .description('Copies the other region into this one with MirrorMaker 2 while that one is active, and watches it.')
    .action(async () => {
      const { startMirror } = await import('../../region/index.ts');
      const { startMirrorMaker } = await import('../../stack/index.ts');
      await runRole('mirror', await connectedConfig(), (config, logger) =>
        startMirror(config, logger, (properties, onExit) => {
          const directory = path.resolve(config.ORDERMESH_DATA_DIR, 'mirror');
          return startMirrorMaker({ config, directory, properties, onExit });
        }),
      );
    });
}
