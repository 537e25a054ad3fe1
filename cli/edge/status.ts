import { Command } from 'commander';
import { adminHeaders, adminUrl } from '../../contracts/config/admin.ts';
import { type Config, loadConfig } from '../../contracts/config/config.ts';
import { NegativeResult } from '../../contracts/failure.ts';
import { type EdgeStatus, headline, statusRows } from '../../edge/index.ts';
import { print, printJson, table } from '../output.ts';
import { visitSpool } from './visiting.ts';

const ANSWER_MS_MAX = 3_000;

export function statusCommand(): Command {
  return new Command('status')
    .description('Says how line and spool are. Exit code 1 if a person has to do something about it.')
    .option('--json', 'print the status as one object')
    .action(async ({ json }: { json?: boolean }) => {
      const config = loadConfig();
      const answer = await askAgent(config);
      const status =
        typeof answer === 'object'
          ? answer
          : visitSpool('read', (visit): EdgeStatus => {
              const spool = visit.counts(config.ORDERMESH_EDGE_SPOOL_BYTES_MAX);
              return { agent: answer, line: null, spool, heldBack: [] };
            });
      const { level, text } = headline(status);
      if (json) printJson(status);
      else {
        print(text);
        print(table(['', ''], statusRows(status, Date.now())).trim());
      }
      if (level === 'bad') throw new NegativeResult();
    });
}

async function askAgent(config: Config): Promise<EdgeStatus | 'stopped' | 'silent'> {
  const url = new URL('/status.json', adminUrl(config, 'edge'));
  try {
    const response = await fetch(url, { headers: adminHeaders(config), signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    return response.ok ? ((await response.json()) as EdgeStatus) : 'silent';
  } catch (error) {
    // A port that accepts the request and does not answer belongs to an agent that hangs. Any other failure means that no agent runs.
    return (error as Error).name === 'TimeoutError' ? 'silent' : 'stopped';
  }
}
