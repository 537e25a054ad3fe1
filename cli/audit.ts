import { Command } from 'commander';
import { countLines, findings, isClean, judge, readAcceptedIds, readEvidence } from '../audit/index.ts';
import { NegativeResult } from '../contracts/failure.ts';
import { connectedConfig } from '../stack/environment.ts';
import { pastTime } from './options.ts';
import { print, printJson, say } from './output.ts';

interface AuditOptions {
  since?: number;
  accepted?: string;
  json?: boolean;
}

export function auditCommand(): Command {
  return new Command('audit')
    .description(
      'Reads the topics and the database and proves that no order was lost, had an effect twice or was overtaken.',
    )
    .option('--since <time>', 'only orders placed since then: a time, or how long ago such as 10m', pastTime)
    .option('--accepted <file>', 'ids that were answered 202, one a line: each must be there')
    .option('--json', 'print the counts as one JSON object')
    .action(async (options: AuditOptions) => {
      const promised = options.accepted === undefined ? undefined : await readAcceptedIds(options.accepted);
      const evidence = await readEvidence(await connectedConfig(), {
        onNote: say,
        ...(promised === undefined ? {} : { promised }),
        ...(options.since === undefined ? {} : { sinceMs: options.since }),
      });
      const verdict = judge(evidence);
      findings(verdict).forEach(say);
      const { counts, skipped, notInWarehouse = null, parkedInWarehouse = null, notAsked } = verdict;
      if (options.json) printJson({ ...counts, skipped, notInWarehouse, parkedInWarehouse, notAsked });
      else countLines(verdict).forEach(print);
      if (!isClean(verdict)) throw new NegativeResult();
    });
}
