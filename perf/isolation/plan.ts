// The order of the rounds. Used by main.ts.

export const QUIET = 'quiet';

/**
 * Rounds of quiet and of every case in turn, so that each case round has a quiet one just before it and drift of the machine meets both.
 * @param rounds of each case
 * @returns the names in order
 */
export function planRounds(cases: readonly string[], rounds: number): string[] {
  return Array.from({ length: rounds }, () => cases.flatMap((name) => [QUIET, name])).flat();
}
