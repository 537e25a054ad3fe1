import { expect, test } from 'vitest';
import { runUntilStopped } from '#cli/up/run.ts';

const never = new Promise<never>(() => {});

function noted(steps: string[]) {
  return {
    stopWork: () => void steps.push('stop the work'),
    close: async () => void steps.push('close'),
  };
}

test('traffic that fails ends the run, and its error is thrown once everything is closed', async () => {
  const steps: string[] = [];
  const working = Promise.reject(new Error('no gateway answers'));
  await expect(runUntilStopped({ stopped: never, working, ...noted(steps) })).rejects.toThrow('no gateway answers');
  expect(steps).toEqual(['stop the work', 'close']);
});

test('a signal stops the traffic before everything is closed', async () => {
  const steps: string[] = [];
  const { promise: working, resolve } = Promise.withResolvers<void>();
  await runUntilStopped({
    ...noted(steps),
    stopped: Promise.resolve(),
    working,
    stopWork() {
      steps.push('stop the work');
      setTimeout(() => {
        steps.push('the work has stopped');
        resolve();
      }, 10);
    },
  });
  expect(steps).toEqual(['stop the work', 'the work has stopped', 'close']);
});

test('without traffic only a signal ends the run', async () => {
  const steps: string[] = [];
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  const run = runUntilStopped({ stopped, working: undefined, ...noted(steps) });
  await new Promise(setImmediate);
  expect(steps).toEqual([]);
  resolve();
  await run;
  expect(steps).toEqual(['stop the work', 'close']);
});
