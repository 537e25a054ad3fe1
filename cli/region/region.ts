import { Command } from 'commander';
import { failbackCommand, failoverCommand } from './failover.ts';
import { initCommand } from './init.ts';
import { mirrorCommand } from './mirror.ts';
import { statusCommand } from './status.ts';

export function regionCommand(): Command {
  return new Command('region')
    .description('Two regions, one mirroring the other.')
    .addCommand(initCommand())
    .addCommand(statusCommand())
    .addCommand(failoverCommand())
    .addCommand(failbackCommand())
    .addCommand(mirrorCommand());
}
