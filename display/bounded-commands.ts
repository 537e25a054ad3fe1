import { type Problem, problem } from '../contracts/errors.ts';
import type { Screen } from './screens.ts';

/** Commands of one screen that may be unanswered at a time; a crew has ten fingers. */
const UNANSWERED_MAX = 32;

/** Runs a command of a screen unless the screen has too many unanswered ones. @returns what is wrong, or `undefined` */
export async function runBounded(
  screen: Pick<Screen, 'unanswered'>,
  run: () => Promise<Problem | undefined>,
): Promise<Problem | undefined> {
  if (screen.unanswered >= UNANSWERED_MAX)
    return problem(
      'rate-limited',
      `This screen has ${UNANSWERED_MAX} commands without an answer; wait for their answers.`,
    );
  screen.unanswered++;
  try {
    return await run();
  } finally {
    screen.unanswered--;
  }
}
