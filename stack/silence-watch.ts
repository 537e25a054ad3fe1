// Reports a process that runs and does not answer. Used by supervised-server.ts and system/role-process.ts.

import { inSeconds, States, timeOfDay } from '../telemetry/state-log.ts';

export interface SilenceWatchOptions {
  /** For people, at the beginning of a line. */
  what: string;
  /** @throws (or takes longer than the deadline) unless it answers */
  answers(signal: AbortSignal): Promise<void>;
  say(line: string): void;
  /** Called for every answer. */
  onAnswer?(): void;
  intervalMs?: number;
  /** One question takes no longer, in milliseconds. */
  answerMsMax?: number;
  /** Silence of this length is reported. A busy machine may take some seconds to answer. */
  silentAfterMs?: number;
}

const INTERVAL_MS = 3_000;
const ANSWER_MS_MAX = 5_000;
const SILENT_AFTER_MS = 10_000;

/** Asks a running server or role whether it still answers. A process that is stopped (SIGSTOP) or hangs does not end and logs nothing. */
export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  readonly #states = new States();
  readonly #closing = new AbortController();
  #answeredAt = Date.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
    this.#askLater();
  }

  /** Its end was reported, so the silence counts from its next start. */
  restarted(): void {
    this.#answeredAt = Date.now();
    this.#states.end('silent');
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#closing.abort();
  }

  #askLater(): void {
    if (this.#closing.signal.aborted) return;
    this.#timer = setTimeout(() => void this.#ask(), this.#options.intervalMs ?? INTERVAL_MS).unref();
  }

  async #ask(): Promise<void> {
    const { what, answers, say, onAnswer, answerMsMax = ANSWER_MS_MAX } = this.#options;
    const late = AbortSignal.timeout(answerMsMax);
    const signal = AbortSignal.any([late, this.#closing.signal]);
    try {
      await Promise.race([answers(signal), rejection(signal)]);
      this.#answeredAt = Date.now();
      const silentMs = this.#states.end('silent');
      if (silentMs !== undefined) say(`${what} answers again after ${inSeconds(silentMs)}`);
      onAnswer?.();
    } catch (error) {
      const isSilent = Date.now() - this.#answeredAt > (this.#options.silentAfterMs ?? SILENT_AFTER_MS);
      if (!this.#closing.signal.aborted && isSilent && this.#states.begin('silent', this.#answeredAt)) {
        const reason = late.aborted ? `no answer within ${answerMsMax / 1_000} s` : (error as Error).message;
        say(`${what} has not answered since ${timeOfDay(this.#answeredAt)}: ${reason}`);
      }
    }
    this.#askLater();
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}
