import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

const BACKGROUND_NICENESS = 19;

/**
 * Gives a process that has just started the lowest CPU priority. Used for emulators of services that run on other machines in production, and for the roles that feed them:
 * they must not slow down the roles between the counter and the kitchen. Best effort, never an error.
 */
export function runInBackground(pid: number): void {
  try {
    setPriority(pid, BACKGROUND_NICENESS);
    // Linux shares the cores between sessions first (sched(7), "The autogroup feature"); niceness counts within one only.
    writeFileSync(`/proc/${pid}/autogroup`, String(BACKGROUND_NICENESS));
  } catch {
    // Another system, or a process that has ended already: it runs with the priority it has.
  }
}
