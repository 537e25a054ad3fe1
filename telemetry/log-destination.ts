// Writes log lines to standard error without blocking. Used by logger.ts.

import { constants, fstatSync, openSync } from 'node:fs';
import sonicBoom from 'sonic-boom';

const STDERR = 2;
/** Bytes of lines that wait for a reader; what is logged beyond is dropped and counted. */
const WAITING_BYTES_MAX = 1024 * 1024;
/** At its end the process does not wait for a reader that has read nothing for this long. */
const STALLED_MS = 1_000;
/** Within this time a thread of the pool has finished the write that it has begun. */
const IN_FLIGHT_MS = 20;

/**
 * Standard error, written without blocking the event loop. Otherwise a reader that hangs (a pipe to a log shipper) would block the process as soon as the pipe
 * is full. Lines wait up to a bound and are dropped beyond it; the number of dropped lines is logged when the reader reads again.
 */
export class LogDestination {
  /** Lines that were dropped since the start. */
  dropped = 0;
  /** Called when lines flow again, with the number of those that were dropped meanwhile. */
  onFlowing: ((dropped: number) => void) | undefined;
  readonly #sink: InstanceType<typeof sonicBoom.SonicBoom>;
  #unsaid = 0;
  /** When the reader last took something, while it has more to take. */
  #waitingSince: number | undefined;

  constructor(fd: number = nonBlocking(STDERR)) {
    this.#sink = new sonicBoom.SonicBoom({ fd, sync: false, maxLength: WAITING_BYTES_MAX });
    this.#sink.on('drop', () => {
      this.dropped++;
      this.#unsaid++;
    });
    this.#sink.on('write', () => {
      this.#waitingSince = performance.now();
    });
    this.#sink.on('drain', () => {
      this.#waitingSince = undefined;
      const dropped = this.#unsaid;
      this.#unsaid = 0;
      if (dropped > 0) this.onFlowing?.(dropped);
    });
    // The reader is gone or the disk is full: there is nowhere left to say so, and the next line tries again. Without a listener it would end the process.
    this.#sink.on('error', () => {});
    process.on('exit', () => this.flushSync());
  }

  write(line: string): void {
    this.#waitingSince ??= performance.now();
    this.#sink.write(line);
  }

  /** Writes what is left at the end of the process, unless the reader has stopped reading. */
  flushSync(): void {
    if (this.#waitingSince === undefined || performance.now() - this.#waitingSince > STALLED_MS) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, IN_FLIGHT_MS);
    try {
      this.#sink.flushSync();
    } catch {
      // The reader is gone, and these lines were the only way to report that.
    }
  }
}

/**
 * Opens the pipe again without blocking: a write into a full pipe would hold a thread of the pool, and the last line would hold the end of the process.
 * Setting the flag on the pipe that was given would change it for every process that shares the pipe.
 */
function nonBlocking(fd: number): number {
  try {
    if (!fstatSync(fd).isFIFO()) return fd;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
  } catch {
    // Not Linux, or no right to open the pipe: then the pipe is used as it was given, and blocks when it is full.
    return fd;
  }
}
