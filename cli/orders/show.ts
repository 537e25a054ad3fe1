import { Command } from 'commander';
import { NegativeResult } from '../../contracts/failure.ts';
import { connectedConfig } from '../../stack/environment.ts';
import { milliseconds, print, printJson, say, table } from '../output.ts';
import { journeyStatus } from './journey-status.ts';
import type { JourneyStep } from './journey-step.ts';

export function showCommand(): Command {
  return new Command('show')
    .description('Shows the journey of one order through the topics, step by step.')
    .argument('<orderId>', 'UUID of the order')
    .option('--json', 'print {"orderId","status","steps":[…]}')
    .action(async (orderId: string, { json }: { json?: boolean }) => {
      const { readJourney } = await import('./journey.ts');
      const steps = await readJourney(await connectedConfig(), orderId);
      const status = journeyStatus(steps);
      if (json) printJson({ orderId, status, steps });
      else if (status !== undefined) show(orderId, status, steps);
      if (status === undefined) {
        say(`no topic holds an order ${orderId}`);
        throw new NegativeResult();
      }
    });
}

function show(orderId: string, status: string, steps: readonly JourneyStep[]): void {
  print(`order ${orderId}: ${status}`);
  const rows = steps.map(({ step, topic, partition, offset, at, sincePreviousMs, detail }, index) => [
    at,
    index === 0 ? '' : `+${milliseconds(sincePreviousMs)}`,
    step,
    `${topic}[${partition}]@${offset}`,
    detail,
  ]);
  print(table(['time', 'after', 'step', 'record', ''], rows));
}
