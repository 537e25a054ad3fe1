import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

const BACKGROUND_NICENESS = 19;

/**
 * Lets a process that has just started wait for others when the cores are busy. For what stands in for a service of other machines, or feeds
 * one: it must not take the processor from the way between the counter and the kitchen. Best effort, never an error.
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
