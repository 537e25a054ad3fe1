// Writes the changes of the restaurant's board to the spool. Created by kitchen.ts.

import type { Logger } from '../../telemetry/logger.ts';
import { StateLog } from '../../telemetry/state-log.ts';
import type { SpoolClient } from '../spool/client.ts';
import { type Changes, joined, noChanges } from './board.ts';

export interface BoardWriterOptions {
  spool: Pick<SpoolClient, 'keepTickets'>;
  logger: Logger;
  /** The changes are on the disk. The screens and the region may get them now. */
  onKept(changes: Pick<Changes, 'shown' | 'commands'>): void;
}

/** The disk did not take the changes of the board; they are written later. The state log has reported it. */
export class UnkeptError extends Error {
  override name = 'UnkeptError';
}

/**
 * Writes the changes of the board to the disk before the screens show them, so that a power failure loses nothing that a screen has shown as done. Changes that
 * cannot be written are written with the next changes, or with the next tick.
 */
export class BoardWriter {
  readonly #options: BoardWriterOptions;
  readonly #states: StateLog;
  /** The board has these changes; the disk, the screens and the region do not have them yet. */
  #waiting = noChanges();
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(options: BoardWriterOptions) {
    this.#options = options;
    this.#states = new StateLog(options.logger);
  }

  /**
   * One write at a time, so that an older entry never replaces a newer one.
   * @throws UnkeptError
   */
  apply(changes: Changes): Promise<void> {
    this.#waiting = joined(this.#waiting, changes);
    const write = () => this.#write();
    this.#lastWrite = this.#lastWrite.then(write, write);
    return this.#lastWrite;
  }

  async #write(): Promise<void> {
    const changes = this.#waiting;
    const { shown, kept, dropped, commands } = changes;
    this.#waiting = noChanges();
    if (kept.length > 0 || dropped.length > 0) {
      const entries = kept.map((entry): [string, string] => [entry.orderId, JSON.stringify(entry)]);
      try {
        await this.#options.spool.keepTickets({ kept: entries, dropped });
      } catch (error) {
        this.#waiting = joined(changes, this.#waiting);
        const { message: reason } = error as Error;
        this.#states.begin('unkept', 'the board cannot be kept on the disk; trying again', { reason });
        throw new UnkeptError(reason);
      }
      this.#states.end('unkept', 'the board is kept on the disk again');
    }
    this.#options.onKept({ shown, commands });
  }
}
