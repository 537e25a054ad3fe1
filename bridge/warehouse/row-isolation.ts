// Inserts a batch and finds the rows in it that BigQuery does not take. Used by held-messages.ts.

import { InsertUnavailableError, type RefusedRow } from './row-insert.ts';

/** Inserts rows, and is told what became of each row. */
export interface RowTarget<T> {
  /**
   * Inserts the rows.
   * @returns the rows that are refused for their own fault
   * @throws InsertUnavailableError when nothing is known about any row
   */
  insert(rows: readonly T[]): Promise<RefusedRow[]>;
  /** The rows are in the table. */
  onLoaded(rows: readonly T[]): void;
  /** The row failed or was refused while BigQuery took other rows. */
  onSuspect(row: T, error: Error): void;
}

/** BigQuery takes no rows; `left` are the rows that are not inserted. */
export class RowsLeftError extends InsertUnavailableError {
  override name = 'RowsLeftError';
  readonly left: readonly unknown[];

  constructor(left: readonly unknown[], cause: Error) {
    super(cause.message, { cause });
    this.left = left;
  }
}

/** Every row is refused, and BigQuery also refuses a row that it took before, or has not taken any row yet. */
class AllRefusedError extends InsertUnavailableError {
  override name = 'AllRefusedError';
}

/** If this many rows in sequence fail alone, it is an outage. */
const FAILED_ALONE_MAX = 3;

/**
 * Distinguishes a bad row from an outage, whatever the status of the answer. A batch that fails is halved until the bad rows are alone, and
 * the other rows are loaded. A row is bad only if BigQuery takes another row at the same time: the row that it took last is sent once more
 * (the view counts a copy once). Until BigQuery has taken a first row, no row is given up.
 */
export class RowIsolation<T> {
  readonly #target: RowTarget<T>;
  #knownGood: T | undefined;

  constructor(target: RowTarget<T>) {
    this.#target = target;
  }

  /** @throws RowsLeftError when BigQuery takes no rows */
  async load(batch: readonly T[]): Promise<void> {
    try {
      await this.#insert(batch);
    } catch (error) {
      if (!(error instanceof InsertUnavailableError) || error instanceof RowsLeftError) throw error;
      if (error instanceof AllRefusedError) throw new RowsLeftError(batch, error);
      // Certainly an outage: not halving the batch saves requests.
      if (this.#knownGood !== undefined && !(await this.works())) throw new RowsLeftError(batch, error);
      await this.#halve(batch, error);
    }
  }

  /** Whether BigQuery takes a row that it took before. `undefined` if it has not taken any row yet. */
  async works(): Promise<boolean | undefined> {
    if (this.#knownGood === undefined) return undefined;
    try {
      return (await this.#target.insert([this.#knownGood])).length === 0;
    } catch (error) {
      if (error instanceof InsertUnavailableError) return false;
      throw error;
    }
  }

  /**
   * @throws RowsLeftError with the rows that are not loaded, if some are; AllRefusedError; InsertUnavailableError when nothing is known
   *   about any row
   */
  async #insert(rows: readonly T[]): Promise<void> {
    const refused = await this.#target.insert(rows);
    const reasons = new Map(refused.map(({ index, reason }) => [index, reason]));
    const loaded = rows.filter((_, index) => !reasons.has(index));
    if (loaded.length > 0) {
      this.#knownGood = loaded[0];
      this.#target.onLoaded(loaded);
    }
    const [first] = refused;
    if (first === undefined) return;
    // BigQuery refuses a row that it took before: the cause is the table or the service, not these rows. The same is assumed until a first row is taken.
    if (!(await this.works())) {
      const failure = new AllRefusedError(`every row is refused: ${first.reason}`);
      if (loaded.length === 0) throw failure;
      throw new RowsLeftError(
        rows.filter((_, index) => reasons.has(index)),
        failure,
      );
    }
    // Only suspects: an outage in which BigQuery refuses every row may have ended between the two requests.
    for (const [index, reason] of reasons) this.#target.onSuspect(rows[index] as T, new Error(reason));
  }

  async #halve(batch: readonly T[], failure: InsertUnavailableError): Promise<void> {
    const groups = halves(batch);
    const suspects: { row: T; error: InsertUnavailableError }[] = [];
    if (batch.length === 1) suspects.push({ row: batch[0] as T, error: failure });
    let hasWorked = this.#knownGood !== undefined;
    for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
      try {
        await this.#insert(group);
        hasWorked = true;
      } catch (error) {
        if (!(error instanceof InsertUnavailableError)) throw error;
        if (error instanceof RowsLeftError)
          throw new RowsLeftError([...suspects.map(({ row }) => row), ...error.left, ...groups.flat()], error);
        // If all rows are refused, the reason of each is known, so no halving is needed.
        if (group.length > 1 && !(error instanceof AllRefusedError)) groups.push(...halves(group));
        else {
          suspects.push(...group.map((row) => ({ row, error })));
          const away = hasWorked ? (await this.works()) === false : suspects.length >= FAILED_ALONE_MAX;
          if (away) throw new RowsLeftError([...suspects.map(({ row }) => row), ...groups.flat()], error);
        }
      }
    }
    // BigQuery has not taken any row, here or before, so a bad row can't be told from an outage yet.
    if (!hasWorked) throw new RowsLeftError(batch, failure);
    for (const { row, error } of suspects) this.#target.onSuspect(row, error);
  }
}

function halves<T>(group: readonly T[]): (readonly T[])[] {
  if (group.length < 2) return [];
  const middle = group.length >> 1;
  return [group.slice(middle), group.slice(0, middle)];
}
