import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const spinner = fileURLToPath(new URL('spinner.ts', import.meta.url));

/** Takes a whole core's time for each core, at the priority of the roles, until it is disposed of. */
export function keepBusy(say: (line: string) => void): Disposable {
  const cores = availableParallelism();
  say(`a process for each of the ${cores} cores keeps it busy`);
  const spinners = Array.from({ length: cores }, () => fork(spinner));
  return {
    [Symbol.dispose]() {
      for (const each of spinners) each.kill('SIGKILL');
    },
  };
}
