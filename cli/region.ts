import { Command } from 'commander';
import { failbackCommand, failoverCommand } from './region/failover.ts';
import { initCommand } from './region/init.ts';
import { mirrorCommand } from './region/mirror.ts';
import { statusCommand } from './region/status.ts';

export function regionCommand(): Command {
  return new Command('region')
    .description('Two regions, one mirroring the other.')
    .addCommand(initCommand())
    .addCommand(statusCommand())
    .addCommand(failoverCommand())
    .addCommand(failbackCommand())
    .addCommand(mirrorCommand());
}
