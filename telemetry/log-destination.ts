import { constants, fstatSync, openSync } from 'node:fs';
import sonicBoom from 'sonic-boom';

const STDERR = 2;
/** Bytes of lines that wait for a reader; what is logged beyond is dropped and counted. */
const WAITING_BYTES_MAX = 1024 * 1024;
/** A reader that has taken nothing for so long is not waited for at the end of the process. */
const STALLED_MS = 1_000;
/** What a thread of the pool is about to write is written by then. */
const IN_FLIGHT_MS = 20;

/**
 * Standard error, written beside the event loop. A reader that stands still (a pipe to a log shipper that hangs) would otherwise hold the process with its
 * first line that does not fit. Lines wait within a bound, then are dropped; that they were is said once they flow again.
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
      this.dropped += 1;
      this.#unsaid += 1;
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
 * A pipe of our own that does not block: a write into a full one would hold a thread of the pool, and one of the last lines the end of the process.
 * The flag on the pipe that was given would hold for everybody who shares it.
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
