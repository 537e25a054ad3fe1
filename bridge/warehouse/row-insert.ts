// Inserts rows into a BigQuery table, and tells refused rows from an outage. Called by event-loader.ts.

import type { Table } from '@google-cloud/bigquery';
import { NotBigQueryError } from '../pubsub/google-cloud.ts';
import { httpStatus } from './warehouse-schema.ts';

export interface InsertRow {
  insertId: string;
  json: object;
}

/** A row that BigQuery will never take. `index` is its index in the rows of the call. */
export interface RefusedRow {
  index: number;
  reason: string;
}

/** BigQuery did not take the rows now, but may later. All of them must be inserted again. */
export class InsertUnavailableError extends Error {
  override name = 'InsertUnavailableError';
}

/** Reasons of a row error that don't concern the row itself: another row stopped the request, or the service failed. */
const TRANSIENT_REASONS = new Set(['stopped', 'timeout', 'backendError', 'internalError', 'rateLimitExceeded']);

/**
 * What the answer to a whole request means, by HTTP status. `rows`: one of them is at fault, so the request is halved. Every other status,
 * or no answer, is unclear: an outage, or a row that BigQuery fails on. Whose fault it is shows when other rows are tried
 * (`row-isolation.ts`).
 */
const statusFaults: Readonly<Record<number, 'rows'>> = {
  // Bad request.
  400: 'rows',
  // Content too large.
  413: 'rows',
  // Unprocessable content.
  422: 'rows',
};

/**
 * Inserts rows. A request refused as a whole (`statusFaults`) is halved until the row at fault is alone.
 * @returns the rows that BigQuery refused for their own fault; the others are in the table
 * @throws InsertUnavailableError on an outage, a missing table or a rate limit
 */
export async function insertRows(table: Table, rows: readonly InsertRow[]): Promise<RefusedRow[]> {
  const insert = () => table.insert([...rows], { raw: true, skipInvalidRows: true, partialRetries: 0 });
  try {
    // A server may close a kept connection after an answer, above all after an error. That says nothing about the request that happens to
    // use it.
    await insert().catch((error: unknown) => (isReset(error) ? insert() : Promise.reject(error)));
    return [];
  } catch (error) {
    const failures = rowFailures(error);
    if (failures !== undefined) return refusedRows(rows, failures);
    if (statusFaults[httpStatus(error) ?? 0] !== 'rows')
      throw new InsertUnavailableError(`insert into ${table.id}: ${described(error)}`, { cause: error });
    if (rows.length === 1) return [{ index: 0, reason: (error as Error).message }];
    const middle = Math.ceil(rows.length / 2);
    const first = await insertRows(table, rows.slice(0, middle));
    const second = await insertRows(table, rows.slice(middle));
    return [...first, ...second.map(({ index, reason }) => ({ index: index + middle, reason }))];
  }
}

function isReset(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ECONNRESET';
}

function described(error: unknown): string {
  const status = httpStatus(error);
  if (error instanceof NotBigQueryError) return error.message;
  return `${status === undefined ? 'no answer' : `answered ${status}`}: ${(error as Error).message}`;
}

interface RowFailure {
  row: InsertRow;
  errors: { reason?: string; message?: string }[];
}

/** What a PartialFailureError says about single rows. */
function rowFailures(error: unknown): RowFailure[] | undefined {
  if (!(error instanceof Error) || error.name !== 'PartialFailureError' || !('errors' in error)) return undefined;
  return error.errors as RowFailure[];
}

function refusedRows(rows: readonly InsertRow[], failures: RowFailure[]): RefusedRow[] {
  const places = new Map(rows.map((row, index) => [row, index]));
  const refused: RefusedRow[] = [];
  for (const { row, errors } of failures) {
    const lasting = errors.filter(({ reason }) => !TRANSIENT_REASONS.has(reason ?? ''));
    if (lasting.length === 0)
      throw new InsertUnavailableError(`insert of some rows failed: ${errors[0]?.reason ?? 'no reason given'}`);
    const index = places.get(row);
    if (index === undefined) throw new InsertUnavailableError('the answer names a row that was not sent');
    refused.push({ index, reason: lasting.map(({ message, reason }) => message || reason).join('; ') });
  }
  return refused;
}
