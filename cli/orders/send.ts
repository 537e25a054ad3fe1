import { Command } from 'commander';
import { NegativeResult } from '../../contracts/failure.ts';
import { printSendReport } from '../load/send-report.ts';
import { httpUrl, positiveNumber } from '../options.ts';
import { printJson } from '../output.ts';
import { type SendOptions, sendLines } from './sending.ts';

export function sendCommand(): Command {
  return new Command('send')
    .description('Sends orders, one JSON document a line, each with a token of its store.')
    .argument('<file>', 'NDJSON file, or - for standard input')
    .option('--gateway <url>', 'where to; default: the gateway of this configuration', httpUrl)
    .option('--rate <n>', 'orders a second; default: as fast as the gateway answers', positiveNumber)
    .option('--store <id>', 'store of lines that name none', 'us-il-0001')
    .option('--token <jwt>', 'token for all orders, from your own issuer')
    .option('--json', 'print the report as one JSON object')
    .action(async (file: string, options: SendOptions & { json?: boolean }) => {
      const report = await sendLines(file, options);
      if (options.json) printJson(report);
      else printSendReport(report);
      if (report.accepted < report.sent) throw new NegativeResult();
    });
}
