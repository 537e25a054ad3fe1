// Shows a load while it runs: a few lines on a terminal that change each second. Used by load-work.ts.

import { clearScreenDown, moveCursor } from 'node:readline';
import type { Second } from '../../lab/load/index.ts';
import { milliseconds, say } from '../output.ts';

export interface LiveView {
  second(second: Second): void;
  /** A remark that stays, above the lines that change. */
  say(line: string): void;
  close(): void;
}

const BARS = '▁▂▃▄▅▆▇█';
/** Seconds in the row of bars. */
const HISTORY = 60;

/** On anything but a terminal only remarks are written. */
export function startLiveView(stream: NodeJS.WriteStream = process.stderr): LiveView {
  if (!stream.isTTY) return { second() {}, say, close() {} };
  const p99s: number[] = [];
  let lines: string[] = [];
  const clear = () => {
    moveCursor(stream, 0, -lines.length);
    clearScreenDown(stream);
    lines = [];
  };
  const draw = (next: string[]) => {
    clear();
    lines = next.map((line) => line.slice(0, stream.columns - 1));
    for (const line of lines) stream.write(`${line}\n`);
  };
  return {
    second(second) {
      p99s.push(second.p99Ms);
      draw(linesOf(second, p99s.slice(-HISTORY)));
    },
    say(line) {
      const shown = lines;
      clear();
      stream.write(`${line}\n`);
      draw(shown);
    },
    close: clear,
  };
}

export function linesOf(second: Second, p99s: readonly number[]): string[] {
  const { atS, rate, sentPerSecond, acceptedPerSecond, failedPerSecond, inFlight, p50Ms, p99Ms, maxMs } = second;
  const round = (value: number) => Math.round(value).toLocaleString('en');
  const most = Math.max(...p99s);
  const bars = p99s.map((ms) => BARS[Math.min(BARS.length - 1, Math.floor((ms / (most || 1)) * BARS.length))]);
  return [
    `${round(atS)} s   rate ${round(rate)}/s   sent ${round(sentPerSecond)}/s   accepted ${round(acceptedPerSecond)}/s   ` +
      `failed ${round(failedPerSecond)}/s   in flight ${round(inFlight)}`,
    `p50 ${milliseconds(p50Ms)}   p99 ${milliseconds(p99Ms)}   most ${milliseconds(maxMs)}   ` +
      `generator ${second.cores.toFixed(2)} of a core, late ${milliseconds(second.lateP99Ms)}`,
    `p99 ${bars.join('')} (at most ${milliseconds(most)})`,
  ];
}
