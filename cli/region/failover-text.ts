import type { ChangeOverReport, FailoverOutcome, FinishReport } from '../../region/operations/index.ts';
import { print } from '../output.ts';

/** What a failover came to, for a person. */
export function printOutcome({ kind, report }: FailoverOutcome): void {
  if (kind === 'moved') printMove(report);
  else if (kind === 'finished') printFinish(report);
  else print(`${report.to} is active already, epoch ${report.epoch}`);
}

function printMove({ from, to, epoch, rpoRecords, alive, rtoMs, restored, rewinds, probe }: ChangeOverReport): void {
  print(`${to} is active instead of ${from}, epoch ${epoch}`);
  print(`RPO: ${rpoRecords === null ? unknownLoss(from, alive) : `${rpoRecords} records`}`);
  print(
    `RTO: ${(rtoMs / 1_000).toFixed(1)} s from the command to ${probe.orders} probe orders (${outcomes(probe.outcomes)})`,
  );
  print(`database: ${restored.decisions} decisions that only the log had`);
  const back = Object.entries(rewinds).map(([group, { records }]) => `${group} ${records}`);
  print(`records read again: ${back.join(', ')}`);
}

function unknownLoss(from: string, alive: boolean): string {
  return alive
    ? `not known, for this command went on where another was cut short; what had not been copied is sent to the new region by the mirror of ${from}`
    : `${from} is dead; what had not been copied is sent to the new region when ${from} comes back`;
}

function printFinish({ to, epoch, probe }: FinishReport): void {
  print(`${to} is active, epoch ${epoch}; the failover that was cut short is finished`);
  print(`${probe.orders} probe orders (${outcomes(probe.outcomes)})`);
}

function outcomes(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(', ');
}
