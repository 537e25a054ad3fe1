// Lets only one agent use a spool. Called by thread.ts.

import { DatabaseSync } from 'node:sqlite';

/** Held while the agent runs. The kernel releases it when the process ends, whatever the reason. */
export interface SpoolLock {
  release(): void;
}

/**
 * Keeps a second agent from a spool: an exclusive transaction on an empty database beside it, since Node has no file locks of its own.
 * @throws Error when another process holds it.
 */
export function lockSpool(path: string): SpoolLock {
  const file = `${path}.lock`;
  const database = new DatabaseSync(file);
  try {
    database.exec('pragma locking_mode = exclusive; begin exclusive');
  } catch (error) {
    database.close();
    if (/locked/.test((error as Error).message))
      throw new Error(
        `another edge agent uses the spool ${path}: stop it, or set ORDERMESH_EDGE_SPOOL to another file`,
      );
    throw error;
  }
  return { release: () => database.close() };
}
