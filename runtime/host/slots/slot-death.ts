import type { Shown } from '../../wire/pulse.ts';

/** `exit`: process.exit() or the like; `memory`: its heap was full; `silence`: its event loop stood still; `error`: an uncaught error. */
export type DeathReason = 'exit' | 'memory' | 'silence' | 'error';

const MESSAGES_SHOWN = 5;

/** The thread's event loop stood still. The thread itself can't notice that, so the main thread ends it. */
export class SilenceError extends Error {
  override name = 'SilenceError';

  constructor(silentMs: number) {
    super(`its event loop stood still for ${(silentMs / 1_000).toFixed(1)} s`);
  }
}

/** A thread died. Names the messages that its actor was working on. */
export class SlotDeathError extends Error {
  override name = 'SlotDeathError';
  readonly reason: DeathReason;
  readonly atWork: readonly Shown[];

  constructor(cause: unknown, atWork: readonly Shown[]) {
    super(`${messageOf(cause)}${atWorkOn(atWork)}`, { cause });
    this.reason = reasonOf(cause);
    this.atWork = atWork;
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : `not an error was thrown: ${String(cause)}`;
}

function atWorkOn(messages: readonly Shown[]): string {
  if (messages.length === 0) return '';
  const shown = messages
    .slice(0, MESSAGES_SHOWN)
    .map(({ key, partition, offset }) => `${key ?? 'a message'} (${partition}@${offset})`);
  const more = messages.length > MESSAGES_SHOWN ? ` and ${messages.length - MESSAGES_SHOWN} more` : '';
  return `, at work on key (partition@offset) ${shown.join(', ')}${more}`;
}

function reasonOf(cause: unknown): DeathReason {
  if (cause instanceof SilenceError) return 'silence';
  if (!(cause instanceof Error)) return 'error';
  if ((cause as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY') return 'memory';
  // Piscina has no error class for it (piscina/src/index.ts, onWorkerExit).
  return cause.message.startsWith('worker exited with code') ? 'exit' : 'error';
}
