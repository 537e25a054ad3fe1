import { Command } from 'commander';
import { NegativeResult } from '../../contracts/failure.ts';
import { isWell, meshHealth, regionsOf } from '../../region/operations/index.ts';
import { printJson } from '../output.ts';
import { printHealth } from './status-text.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description(
      'Who is active, how far the mirror is behind, and topics that were truncated, recreated or skipped. Exit 1 when something is wrong.',
    )
    .option('--regions <file>', 'addresses of both regions; ORDERMESH_REGIONS_FILE by default')
    .option('--json', 'print one JSON object')
    .action(async ({ regions: file, json }: { regions?: string; json?: boolean }) => {
      const mesh = await meshHealth(await regionsOf(file));
      if (json) printJson(mesh);
      else printHealth(mesh);
      if (!isWell(mesh)) throw new NegativeResult();
    });
}
