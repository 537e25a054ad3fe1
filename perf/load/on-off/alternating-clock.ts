// Turns the stage clock of a thread on and off in turns, to measure what the clock costs.

import { StageClock, threadStages } from '../../../telemetry/stages/stage-clock.ts';
import { median } from '../../rounds.ts';

/** What the messages of one thread cost with the clock on and off. */
export interface OnOff {
  /** Medians over the slices: microseconds of processor time a message. */
  onUs: number;
  offUs: number;
  slices: number;
  /** Looks at the clock a message, and ends of callbacks that were arranged for, as the difference of on and off. */
  looks: number;
  ends: number;
  /** What these must cost. */
  countedUs: number;
}

/** Compilers are busy before. */
const WARM_UP_MS = 1_500;
/** Both sides meet a drift of the thread's speed alike. */
const pattern = ['on', 'off', 'off', 'on'] as const;

/** Arranging for the end of a callback, by a promise and a tick: 0.17 to 0.25 µs on Node 24. */
const END_US = 0.25;

interface Counted {
  looks: number;
  ends: number;
  messages: number;
}

type Side = (typeof pattern)[number];

/** Alternates by slices of messages. A slice is short enough that both sides meet the same state of machine and process. */
export class AlternatingClock {
  readonly #costsUs: Record<Side, number[]> = { on: [], off: [] };
  readonly #counted: Record<Side, Counted> = {
    on: { looks: 0, ends: 0, messages: 0 },
    off: { looks: 0, ends: 0, messages: 0 },
  };
  readonly #sliceMessages: number;
  readonly #warmAt = performance.now() + WARM_UP_MS;
  #slice = 0;
  #looks = 0;
  #looksAt = 0;
  #ends = 0;
  #endsAt = 0;
  #cpuAt = threadCpuUs();
  #messagesAt = 0;

  constructor(sliceMessages: number) {
    this.#sliceMessages = sliceMessages;
    const now = performance.now.bind(performance);
    performance.now = () => {
      this.#looks++;
      return now();
    };
    const { nextTick } = process;
    process.nextTick = (...args: Parameters<typeof nextTick>) => {
      this.#ends++;
      nextTick.apply(process, args);
    };
  }

  /** Called between two event-loop callbacks, so that no slice has a part of another slice's batch. @param messages of the thread so far */
  look(messages: number): void {
    const passed = messages - this.#messagesAt;
    if (passed < this.#sliceMessages) return;
    const cpu = threadCpuUs();
    if (performance.now() > this.#warmAt) {
      const side = pattern[this.#slice % pattern.length] ?? 'on';
      this.#costsUs[side].push((cpu - this.#cpuAt) / passed);
      this.#counted[side].looks += this.#looks - this.#looksAt;
      this.#counted[side].ends += this.#ends - this.#endsAt;
      this.#counted[side].messages += passed;
    }
    this.#slice++;
    threadStages.enabled = pattern[this.#slice % pattern.length] === 'on';
    this.#cpuAt = cpu;
    this.#looksAt = this.#looks;
    this.#endsAt = this.#ends;
    this.#messagesAt = messages;
  }

  result(): OnOff {
    const { on, off } = this.#counted;
    const looks = on.looks / on.messages - off.looks / off.messages;
    const ends = on.ends / on.messages - off.ends / off.messages;
    return {
      onUs: median(this.#costsUs.on),
      offUs: median(this.#costsUs.off),
      slices: this.#costsUs.on.length + this.#costsUs.off.length,
      looks,
      ends,
      countedUs: looks * lookUs() + ends * END_US,
    };
  }
}

const LOOKS = 200_000;

/** Processor time of one change of the stage. */
function lookUs(): number {
  const clock = new StageClock();
  const startedAt = threadCpuUs();
  for (let look = 0; look < LOOKS; look += 2) clock.leave(clock.enter(look % 5));
  return (threadCpuUs() - startedAt) / LOOKS;
}

function threadCpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** Of several threads, which each message passes: processor time with the clock on / off, and the part that was counted. */
export function together(threads: readonly OnOff[]): { ratio: number; countedShare: number } {
  const sum = (read: (thread: OnOff) => number) => threads.reduce((total, thread) => total + read(thread), 0);
  return {
    ratio: sum(({ onUs }) => onUs) / sum(({ offUs }) => offUs),
    countedShare: sum(({ countedUs }) => countedUs) / sum(({ offUs }) => offUs),
  };
}
