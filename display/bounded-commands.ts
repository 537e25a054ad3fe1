// Bounds the unanswered commands of a screen. Used by the display's server and by the kitchen of the edge agent.

import { type Problem, problem } from '../contracts/errors.ts';
import type { Screen } from './screens.ts';

/** At most this many commands of one screen may be unanswered at a time. */
const UNANSWERED_MAX = 32;

/** Runs a command of a screen, unless too many of its commands are unanswered. @returns the reason of a refusal, or `undefined` */
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
