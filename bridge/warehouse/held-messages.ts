// From a pulled message to its acknowledgement. The warehouse gives every message here.

import type { Dataset } from '@google-cloud/bigquery';
import { systemClock } from '../../contracts/clock.ts';
import type { Config } from '../../contracts/config/config.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { acceptedAtOf } from '../../telemetry/order-age.ts';
import { StateLog } from '../../telemetry/state-log.ts';
import { type HeldMessage, type HeldRow, heldRow, insertEvents, parkRows } from './event-loader.ts';
import { RowIsolation } from './row-isolation.ts';
import { RowWriter } from './row-writer.ts';
import { SuspectRows } from './suspect-rows.ts';
import type { WarehouseMetrics } from './warehouse-metrics.ts';

/** Requests in flight at a time: BigQuery answers in about 100 ms, and the pull stream should not wait for an answer. */
const WRITERS_MAX = 4;
/** BigQuery takes requests of up to 10 MB. */
const INSERT_BYTES_MAX = 5 * 1024 * 1024;
const PARKED_ROWS_MAX = 50;
const retries = { backoffMs: 250, backoffMsMax: 10_000 };

export interface HeldMessagesOptions {
  dataset: Dataset;
  config: Config;
  metrics: WarehouseMetrics;
  logger: Logger;
  /** Called after each failed insert, so that a missing table is created before the next try. */
  restoreTables(): void;
}

/**
 * The messages that were pulled and are not acknowledged. A message is acknowledged when its row is in a table: in the table of events, or
 * in the parking table if BigQuery refuses this row while it takes others.
 */
export class HeldMessages {
  readonly #options: HeldMessagesOptions;
  readonly #states: StateLog;
  readonly #writer: RowWriter<HeldRow>;
  readonly #isolation: RowIsolation<HeldRow>;
  readonly #suspects: SuspectRows<HeldRow>;
  readonly #parking: RowWriter<HeldRow>;
  #messages = 0;
  #bytes = 0;

  constructor(options: HeldMessagesOptions) {
    const { dataset, config, metrics, logger } = options;
    this.#options = options;
    this.#states = new StateLog(logger);
    const insert = (rows: readonly HeldRow[]) => insertEvents(dataset, rows, metrics, systemClock.now);
    const onLoaded = (rows: readonly HeldRow[]) => this.#loaded(rows);
    this.#isolation = new RowIsolation({ insert, onLoaded, onSuspect: (row, error) => this.#suspect(row, error) });
    this.#suspects = new SuspectRows({
      ...retries,
      insert,
      onLoaded,
      works: () => this.#isolation.works(),
      onRefused: (row, reason) => this.#park(row, reason),
    });
    this.#writer = new RowWriter({
      ...retries,
      write: (batch) => this.#isolation.load(batch),
      rowsMax: config.ORDERMESH_WAREHOUSE_BATCH_ROWS_MAX,
      bytesMax: INSERT_BYTES_MAX,
      writersMax: WRITERS_MAX,
      gatherMs: config.ORDERMESH_WAREHOUSE_INSERT_INTERVAL,
      onFailure: (error) => {
        this.#states.begin('insert', 'BigQuery does not take rows; they are held and tried again', { err: error });
        this.#failed(error);
      },
      onRecovery: () => this.#states.end('insert', 'BigQuery takes rows again'),
    });
    // Parked rows are small and made by us, so they need no isolation.
    this.#parking = new RowWriter({
      ...retries,
      write: async (rows) => {
        await parkRows(dataset, rows, metrics, systemClock.now);
        this.#acknowledge(rows);
      },
      rowsMax: PARKED_ROWS_MAX,
      bytesMax: INSERT_BYTES_MAX,
      writersMax: 1,
      gatherMs: 0,
      onFailure: (error) => this.#failed(error),
    });
  }

  get counts(): { messages: number; bytes: number } {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  /** Rows that are tried alone. */
  get suspects(): number {
    return this.#suspects.count;
  }

  /** Why rows don't get into their table, or `undefined`. */
  get problem(): string | undefined {
    return this.#writer.problem ?? this.#parking.problem ?? this.#suspects.problem;
  }

  add(message: HeldMessage): void {
    this.#messages++;
    this.#bytes += message.data.length;
    const row = heldRow(message, systemClock.now());
    if (row.row === undefined) this.#park(row, row.reason ?? 'no order event');
    else this.#writer.add(row);
  }

  /** Waits for the requests in flight. The other messages are not acknowledged, so Pub/Sub delivers them again. */
  async close(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#suspects.close(), this.#parking.close()]);
  }

  #loaded(rows: readonly HeldRow[]): void {
    for (const { message } of rows) {
      const acceptedAtMs = acceptedAtOf(message.attributes.acceptedtime);
      if (acceptedAtMs !== undefined) this.#options.metrics.orderAge(acceptedAtMs);
    }
    this.#acknowledge(rows);
  }

  #acknowledge(rows: readonly HeldRow[]): void {
    for (const { message } of rows) {
      message.ack();
      this.#messages--;
      this.#bytes -= message.data.length;
    }
  }

  #suspect(row: HeldRow, error: Error): void {
    this.#options.logger.warn(
      { messageId: row.message.id, eventId: row.row?.event_id, err: error },
      'BigQuery does not take a row and takes others; trying it alone',
    );
    this.#suspects.add(row, error);
  }

  #park({ message, row, bytes }: HeldRow, reason: string): void {
    this.#options.logger.error(
      { messageId: message.id, eventId: row?.event_id, orderId: row?.order_id, reason },
      'message can not be loaded; parked in order_events_parked',
    );
    this.#parking.add({ message, bytes, reason });
  }

  /** Readiness shows an outage, so the single failure is logged for debugging only. */
  #failed(error: Error): void {
    this.#options.metrics.failures.inc();
    this.#options.restoreTables();
    this.#options.logger.debug({ err: error }, 'BigQuery did not take a batch');
  }
}
