// Turns the stage clock of a thread on and off in turns, and counts the processor time of both. Used to measure what the clock costs.

import { threadStages } from '../../telemetry/stages/stage-clock.ts';

/** What a thread spent with the clock on, and with the clock off. */
export interface OnOff {
  on: { cpuMs: number; messages: number };
  off: { cpuMs: number; messages: number };
}

/** Compilers are busy before. */
const WARM_UP_MS = 1_500;
/** Both sides meet a drift of the thread's speed alike. */
const pattern = ['on', 'off', 'off', 'on'] as const;

/**
 * Alternates for as long as the process lives. Processor time instead of elapsed time, and short slices in one process, so that neither
 * other programs nor the state of a process decide a difference of less than a per cent.
 * @param sliceMs long enough that what `messages` itself costs does not matter
 * @param messages how many messages the thread has worked on
 */
export function alternateClock(sliceMs: number, messages: () => number | Promise<number>): () => OnOff {
  const spent: OnOff = { on: { cpuMs: 0, messages: 0 }, off: { cpuMs: 0, messages: 0 } };
  const warmAt = performance.now() + WARM_UP_MS;
  let slice = 0;
  let cpuAt = threadCpuMs();
  let messagesAt = 0;
  const turn = async () => {
    const count = await messages();
    const cpu = threadCpuMs();
    const side = spent[sideOf(slice)];
    // A slice without messages shows nothing of their cost.
    if (performance.now() > warmAt && count > messagesAt) {
      side.cpuMs += cpu - cpuAt;
      side.messages += count - messagesAt;
    }
    slice++;
    threadStages.enabled = sideOf(slice) === 'on';
    cpuAt = cpu;
    messagesAt = count;
    setTimeout(turn, sliceMs).unref();
  };
  setTimeout(turn, sliceMs).unref();
  return () => spent;
}

function sideOf(slice: number): keyof OnOff {
  return pattern[slice % pattern.length] ?? 'on';
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** Processor time of a message with the clock on / with the clock off, all threads together. */
export function costRatio(threads: readonly OnOff[]): number {
  const perMessage = (side: keyof OnOff) =>
    threads.reduce((sum, spent) => sum + spent[side].cpuMs / spent[side].messages, 0);
  return perMessage('on') / perMessage('off');
}
