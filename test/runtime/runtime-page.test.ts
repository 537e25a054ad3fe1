import { expect, test } from 'vitest';
import { RebalanceClock } from '../../runtime/host/partitions/rebalance-clock.ts';
import { renderRuntime, runtimePage } from '../../runtime/host/runtime-page.ts';
import type { RuntimeInspection } from '../../runtime/host/runtime-view.ts';

const state: RuntimeInspection = {
  role: 'payment',
  group: 'payment',
  topic: 'validated-orders',
  member: {
    state: 'assigned',
    since: '1970-01-01T00:00:00.000Z',
    provenAt: '1970-01-01T00:00:02.000Z',
    restarts: 3,
  },
  mainThread: {
    thread: 'main',
    cpuSeconds: 1,
    activeSeconds: 2,
    stages: [
      {
        stage: 'pack',
        messages: 2_000,
        operations: 10,
        busySeconds: 0.003,
        busyNsPerMessage: 1_500,
        waits: 0,
        waitSeconds: 0,
      },
    ],
  },
  rebalances: { count: 2, last: { at: 0, pauseMs: 1_234 } },
  outages: [{ what: 'slot-0/database', reason: 'ECONNREFUSED', since: '1970-01-01T00:00:00.000Z' }],
  slots: [
    {
      slot: 0,
      running: true,
      partitions: [3],
      thread: {
        eventLoopUtilization: 0.5,
        cpuSeconds: { user: 1, system: 2 },
        heapUsedBytes: 2 ** 20,
        messages: { ready: 1_200, begun: 3, applicable: 0, inTurn: 200, producing: 0, retried: 1 },
        stages: {
          thread: 'slot 0',
          cpuSeconds: 1,
          activeSeconds: 2,
          stages: [
            {
              stage: 'store',
              messages: 300,
              operations: 4,
              busySeconds: 0,
              busyNsPerMessage: 0,
              waits: 4,
              waitSeconds: 0.0301,
            },
          ],
        },
        hottestKeys: [{ key: '<script>', share: 0.25, error: 0.05 }],
        parkedKeys: [
          {
            partition: 3,
            key: 'order-1',
            reason: 'failed',
            error: 'a "quoted" & <b>bold</b> error',
            attempts: 4,
            firstOffset: 7,
            firstFailedAt: '1970-01-01T00:00:00.000Z',
          },
        ],
      },
    },
    { slot: 1, running: true, partitions: [], thread: null },
  ],
  partitions: [
    {
      partition: 3,
      slot: 0,
      phase: 'running',
      epoch: 5,
      frontier: 41_234,
      committed: 41_000,
      next: 42_000,
      lag: 766,
      frontierAgeMs: 1_500,
      inFlightMessages: 700,
      inFlightBytes: 70_000,
      keys: 600,
      parkedKeys: 1,
      paused: ['full'],
      standing: { reason: 'offset 42: <b>', since: '1970-01-01T00:00:01.000Z' },
    },
  ],
};
const runtime = { inspect: async () => state, readiness: () => undefined };

test('a program gets JSON, a browser a page', async () => {
  const page = runtimePage(runtime);
  const json = await page('*/*');
  expect(json.contentType).toBe('application/json');
  expect(JSON.parse(json.text)).toEqual(state);
  const html = await page('text/html,application/xhtml+xml,*/*;q=0.8');
  expect(html.contentType).toContain('text/html');
  for (const shown of [
    '41,234',
    '766',
    '50.0 %',
    '1,200 ready, 3 begun, 200 in a turn, 1 retried',
    'order-1',
    '25.0 %',
    '20.0 %',
    'slot-0/database',
    '1,234 ms',
    'assigned',
    '1970-01-01T00:00:02.000Z',
    '<td>pack<td class="n">2,000<td class="n">200<td class="n">1,500<td>',
    '<td>store<td class="n">300<td class="n">75<td class="n">0<td class="n">7.525',
    'since 1970-01-01T00:00:01.000Z: offset 42: &lt;b&gt;',
  ])
    expect(html.text).toContain(shown);
});

test('what comes from outside is text on the page', () => {
  const html = renderRuntime(state, 'slot-0/database is down (<i>)');
  expect(html).not.toContain('<script>');
  expect(html).toContain('&lt;script&gt;');
  expect(html).toContain('a &quot;quoted&quot; &amp; &lt;b&gt;bold&lt;/b&gt; error');
  expect(html).toContain('is down (&lt;i&gt;)');
});

test('a pause lasts from the first partition given up until the new assignment is open', () => {
  const clock = new RebalanceClock();
  expect(clock.resume(100)).toBeUndefined();
  clock.pause(1_000);
  clock.pause(1_500);
  expect(clock.resume(2_250)).toBe(1_250);
  expect(clock).toMatchObject({ count: 2, last: { at: 2_250, pauseMs: 1_250 } });
  expect(clock.resume(3_000)).toBeUndefined();
});
