import { type Database, readDeadLetters, traceOf } from '../../store/index.ts';
import type { UntimedStep } from './journey-step.ts';

const names: Partial<Record<string, string>> = {
  replay: 'replay asked',
  edited: 'edited',
  replayed: 'replayed',
  failed: 'failed again',
  discarded: 'discarded',
  stopped: 'replay stopped',
};

/** What operators and replays did to the order's dead letters, as steps of its journey. That they were parked is in the topics. */
export async function readActSteps(sql: Database, orderId: string): Promise<UntimedStep[]> {
  const steps: UntimedStep[] = [];
  for await (const letter of readDeadLetters(sql, { key: orderId })) {
    const { topic, partition, offset, group } = letter;
    for (const { event, at, operator, why, reason, error } of await traceOf(sql, letter)) {
      const step = names[event];
      if (step === undefined) continue;
      const failure = reason === null ? '' : `: ${reason}: ${error}`;
      const who = event === 'replayed' || event === 'failed' ? `by ${group}` : `by ${operator}`;
      const because = why === null || event === 'replayed' || event === 'failed' ? '' : `: ${why}`;
      const origin = { group, topic, partition, offset };
      const detail = `${who}${failure}${because}`;
      steps.push({ step, topic, partition, offset, at: at.toISOString(), detail, origin });
    }
  }
  return steps.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}
