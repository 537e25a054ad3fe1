import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { linesOf, startLiveView } from '#cli/load/live-view.ts';

const second = {
  atS: 12,
  rate: 1_500,
  sentPerSecond: 1_499,
  acceptedPerSecond: 1_480.4,
  failedPerSecond: 3,
  inFlight: 21,
  p50Ms: 2.1,
  p99Ms: 40,
  maxMs: 61,
  cores: 0.42,
  loopDelayP99Ms: 1,
  lateP99Ms: 0.3,
};

/** What a terminal of that width is sent. */
function terminal(columns: number) {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns }) as unknown as NodeJS.WriteStream;
  return { stream, text: () => String((stream as unknown as PassThrough).read() ?? '') };
}

test('a second is shown with rates, latency and the generator, and the row of bars with its highest value', () => {
  const [rates, latency, bars] = linesOf(second, [10, 20, 40]);
  expect(rates).toContain('rate 1,500/s   sent 1,499/s   accepted 1,480/s   failed 3/s   in flight 21');
  expect(latency).toContain('p50 2.1 ms   p99 40 ms   most 61 ms   generator 0.42 of a core');
  expect(bars).toBe('p99 ▃▅█ (at most 40 ms)');
});

test('the lines change in place, and a remark stays above them', () => {
  const { stream, text } = terminal(40);
  const view = startLiveView(stream);
  view.second(second);
  expect(
    text()
      .split('\n')
      .map((line) => line.length <= 45),
  ).toEqual([true, true, true, true]);
  view.say('the gateway has not answered');
  const said = text();
  // Three lines up, away with them, the remark, and the lines again.
  expect(said).toContain('\u001b[3A\u001b[0J' + 'the gateway has not answered\n');
  expect(said.split('\n')).toHaveLength(5);
  view.close();
  expect(text()).toBe('\u001b[3A\u001b[0J');
});

test('what is no terminal gets no live view', () => {
  const stream = Object.assign(new PassThrough(), { isTTY: false }) as unknown as NodeJS.WriteStream;
  startLiveView(stream).second(second);
  expect((stream as unknown as PassThrough).read()).toBeNull();
});
