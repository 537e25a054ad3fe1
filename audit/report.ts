import type { Fault } from './fault.ts';
import type { Verdict } from './verdict.ts';

const FAULTS_SHOWN = 20;

/** Lines that name the orders at fault, and what is no fault but worth knowing. */
export function findings({ faults, repeats, conflicting, parkedLater }: Verdict): string[] {
  const lines: string[] = [];
  const say = (line: string) => lines.push(line);
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
  return lines;
}

const faultNames: Record<Fault['kind'], string> = {
  lost: 'lost',
  duplicateEffects: 'duplicate effect',
  outOfOrder: 'out of order',
};

/** The verdict in words, for a person. */
export function countLines({ counts, notInWarehouse, parkedInWarehouse = 0, notAsked }: Verdict): string[] {
  const lines: string[] = [];
  const print = (line: string) => lines.push(line);
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
  return lines;
}

function warehouseVerdict(missing: number | undefined): string {
  if (missing === undefined) return ', which was not asked';
  if (missing === 0) return '';
  return `: ${missing} still on their way, or missing if they are not there in some minutes (/readyz of the warehouse role)`;
}
