import { Command } from 'commander';
import { readAcceptedIds } from '../audit/accepted-ids.ts';
import { readEvidence } from '../audit/evidence.ts';
import { type Fault, judge, type Verdict } from '../audit/judgement.ts';
import { NegativeResult } from '../contracts/failure.ts';
import { connectedConfig } from '../stack/environment.ts';
import { pastTime } from './options.ts';
import { print, printJson, say } from './output.ts';

interface AuditOptions {
  since?: number;
  accepted?: string;
  json?: boolean;
}

const FAULTS_SHOWN = 20;

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
      sayFindings(verdict);
      const { counts, skipped, notInWarehouse = null, parkedInWarehouse = null, notAsked } = verdict;
      if (options.json) printJson({ ...counts, skipped, notInWarehouse, parkedInWarehouse, notAsked });
      else printCounts(verdict);
      if (!isClean(verdict)) throw new NegativeResult();
    });
}

export function isClean({ counts }: Verdict): boolean {
  return counts.lost === 0 && counts.duplicateEffects === 0 && counts.outOfOrder === 0;
}

/** Names the orders at fault, and says what is no fault but worth knowing. On standard error. */
export function sayFindings({ faults, repeats, conflicting, parkedLater }: Verdict): void {
  for (const { kind, subject, detail } of faults.slice(0, FAULTS_SHOWN))
    say(`${faultNames[kind]}: ${subject} ${detail}`);
  if (faults.length > FAULTS_SHOWN) say(`and ${faults.length - FAULTS_SHOWN} more`);
  if (repeats > 0) say(`${repeats} records are byte-identical repeats (at-least-once delivery, without effect)`);
  if (conflicting > 0)
    say(
      `${conflicting} accepted contents were conflicting: their orderId stood for another order, and their stores were told so`,
    );
  for (const [group, orders] of Object.entries(parkedLater))
    if (orders > 0) say(`${orders} orders are parked by ${group}`);
}

const faultNames: Record<Fault['kind'], string> = {
  lost: 'lost',
  duplicateEffects: 'duplicate effect',
  outOfOrder: 'out of order',
};

export function printCounts({ counts, notInWarehouse, parkedInWarehouse = 0, notAsked }: Verdict): void {
  const { accepted, validated, rejected, parked, inFlight } = counts;
  print(
    `${accepted} orders accepted: ${validated} validated, ${rejected} rejected, ${parked} parked, ${inFlight} in flight`,
  );
  print(`${counts.paid} paid, ${counts.paymentFailed} payments failed, ${counts.cooked} cooked`);
  print(
    `${counts.bridged} events bridged, ${counts.warehouse} events in the warehouse${warehouseVerdict(notInWarehouse)}`,
  );
  if (parkedInWarehouse > 0)
    print(
      `${parkedInWarehouse} messages are no order events for the warehouse; order_events_parked has them, with the reason`,
    );
  print(`${counts.lost} lost, ${counts.duplicateEffects} duplicate effects, ${counts.outOfOrder} out of order`);
  if (notAsked.length > 0) print(`not judged: ${notAsked.join('; ')}`);
}

function warehouseVerdict(missing: number | undefined): string {
  if (missing === undefined) return ', which was not asked';
  if (missing === 0) return '';
  return `: ${missing} still on their way, or missing if they are not there in some minutes (/readyz of the warehouse role)`;
}
