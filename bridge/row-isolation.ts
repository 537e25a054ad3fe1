import { InsertUnavailableError, type RefusedRow } from './row-insert.ts';

/** What is asked of BigQuery. */
export interface RowTarget<T> {
  /** Resolves with the rows that are refused for their own fault. @throws InsertUnavailableError when nothing is known of any row */
  insert(rows: readonly T[]): Promise<RefusedRow[]>;
  /** The rows are in the table. */
  onLoaded(rows: readonly T[]): void;
  /** Something is wrong with this row alone: it failed or was refused where others were taken. */
  onSuspect(row: T, error: Error): void;
}

/** BigQuery is away: `left` are the rows that are still to be inserted. */
export class RowsLeftError extends InsertUnavailableError {
  override name = 'RowsLeftError';
  readonly left: readonly unknown[];

  constructor(left: readonly unknown[], cause: Error) {
    super(cause.message, { cause });
    this.left = left;
  }
}

/** Each of the rows is refused by itself, and BigQuery takes nothing that it took before, or has taken nothing yet. */
class AllRefusedError extends InsertUnavailableError {
  override name = 'AllRefusedError';
}

/** This many rows that failed alone, with none taken in between, are an outage. */
const FAILED_ALONE_MAX = 3;

/**
 * Tells a row that BigQuery stumbles over from an outage, whatever the status of its answer: a batch that fails is halved until the rows at fault
 * stand alone, and the others are loaded. It is the row's fault only if BigQuery takes another one at the same time: the last one that it took
 * before, which is sent once more (the view counts a copy once). Until it has taken a first one, no row is given up.
 */
export class RowIsolation<T> {
  readonly #target: RowTarget<T>;
  #knownGood: T | undefined;

  constructor(target: RowTarget<T>) {
    this.#target = target;
  }

  /** @throws RowsLeftError when BigQuery is away */
  async load(batch: readonly T[]): Promise<void> {
    try {
      await this.#insert(batch);
    } catch (error) {
      if (!(error instanceof InsertUnavailableError) || error instanceof RowsLeftError) throw error;
      if (error instanceof AllRefusedError) throw new RowsLeftError(batch, error);
      // Known to be away: the batch stays whole, and nothing is spent on its rows.
      if (this.#knownGood !== undefined && !(await this.works())) throw new RowsLeftError(batch, error);
      await this.#halve(batch, error);
    }
  }

  /** Whether BigQuery takes what it took before. `undefined`: it has taken nothing yet that could be sent again. */
  async works(): Promise<boolean | undefined> {
    if (this.#knownGood === undefined) return undefined;
    try {
      return (await this.#target.insert([this.#knownGood])).length === 0;
    } catch (error) {
      if (error instanceof InsertUnavailableError) return false;
      throw error;
    }
  }

  /** @throws RowsLeftError with the rows that are not loaded, where some are; AllRefusedError; InsertUnavailableError when nothing is known of any row */
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
    // What was taken before is not taken now: it is the table or the service, not the rows. The same holds until a first row was taken.
    if (!(await this.works())) {
      const failure = new AllRefusedError(`every row is refused: ${first.reason}`);
      if (loaded.length === 0) throw failure;
      throw new RowsLeftError(
        rows.filter((_, index) => reasons.has(index)),
        failure,
      );
    }
    // Not final: an outage in which everything is refused may have ended just now.
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
        // Rows that are all refused were tried one by one already.
        if (group.length > 1 && !(error instanceof AllRefusedError)) groups.push(...halves(group));
        else {
          suspects.push(...group.map((row) => ({ row, error })));
          const away = hasWorked ? (await this.works()) === false : suspects.length >= FAILED_ALONE_MAX;
          if (away) throw new RowsLeftError([...suspects.map(({ row }) => row), ...groups.flat()], error);
        }
      }
    }
    // Nothing was taken, here or before, so a bad row cannot be told from an outage yet.
    if (!hasWorked) throw new RowsLeftError(batch, failure);
    for (const { row, error } of suspects) this.#target.onSuspect(row, error);
  }
}

function halves<T>(group: readonly T[]): (readonly T[])[] {
  if (group.length < 2) return [];
  const middle = group.length >> 1;
  return [group.slice(middle), group.slice(0, middle)];
}
