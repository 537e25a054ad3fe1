// What errors of SQLite mean for the spool. Used by spool.ts, thread.ts, schema.ts and damaged-file.ts.

/** Result codes of SQLite (https://www.sqlite.org/rescode.html); the low byte of an extended one. */
const FULL = 13;
const CORRUPT = 11;
const CONSTRAINT = 19;
const NOT_A_DATABASE = 26;

/** The disk, or the file's bound, has no room. */
export function isDiskFull(error: unknown): boolean {
  return resultCode(error) === FULL;
}

/** The file is empty: its content is lost. SQLite itself would take the file for a new database. */
export class EmptyFileError extends Error {
  override name = 'EmptyFileError';
  readonly errcode = NOT_A_DATABASE;
}

/** The file is not what SQLite wrote. */
export function isDamage(error: unknown): boolean {
  const code = resultCode(error);
  return code === CORRUPT || code === NOT_A_DATABASE;
}

/** The column does not take the value. */
export function isRefusedRow(error: unknown): boolean {
  return resultCode(error) === CONSTRAINT;
}

function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}
