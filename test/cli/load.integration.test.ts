import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { transports } from '../../lab/traffic/index.ts';
import { startTestGateway, type TestServer, watchRawOrders } from '../gateway/support.ts';
import { ordermesh } from '../support/ordermesh.ts';
import { uniqueName } from '../support/servers.ts';

/** Other tests write to the same topic; the source of a record names the region of its gateway. */
const region = uniqueName('load');
let gateway: TestServer;
let raw: Awaited<ReturnType<typeof watchRawOrders>>;
beforeAll(async () => {
  raw = await watchRawOrders();
  gateway = await startTestGateway({ REGION: region });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await raw[Symbol.asyncDispose]();
});

const ownRecords = () =>
  [...raw.records.values()].filter(([record]) => record?.headers.ce_source?.includes(region)).length;
const env = () => ({ ORDERMESH_DATA_DIR: gateway.config.ORDERMESH_DATA_DIR });

test.each(transports)(
  'over %s every order of a load is in the log, and the report has the whole distribution',
  async (via) => {
    const before = ownRecords();
    const url = via === 'grpc' ? (gateway.role.addresses.grpc ?? '').replace('grpc:', 'http:') : gateway.url;
    const command = [
      'load',
      '--via',
      via,
      '--gateway',
      url,
      '--rate',
      '100',
      '--seconds',
      '2',
      '--seed',
      '11',
      '--json',
    ];
    const { code, stdout, stderr } = await ordermesh(command, env());
    expect(stderr).toContain('seed 11');
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ seed: 11, via, sent: 200, accepted: 200, refused: {}, unanswered: 0 });
    expect(report.latency).toMatchObject({ count: 200, p99Ms: expect.any(Number), maxMs: expect.any(Number) });
    expect(report.percentiles.at(-1)).toMatchObject({ percentile: 100 });
    expect(report.steps).toMatchObject([{ rate: 100, generator: { cores: expect.any(Number) } }]);
    expect(code).toBe(0);
    await expect.poll(() => ownRecords() - before, { timeout: 20_000 }).toBe(200);
  },
);

test('stages follow each other, and each has its figures', async () => {
  const command = ['load', '--gateway', gateway.url, '--stages', '50:1s,100:1s', '--json'];
  const page = path.join(gateway.config.ORDERMESH_DATA_DIR, 'load.html');
  const { code, stdout } = await ordermesh([...command, '--html', page], env());
  const { steps, sent, accepted, unanswered } = JSON.parse(stdout);
  expect(steps).toMatchObject([
    { rate: 50, failed: 0 },
    { rate: 100, failed: 0 },
  ]);
  expect(steps[0].latency.count + steps[1].latency.count).toBe(sent);
  expect([accepted, unanswered, code]).toEqual([sent, 0, 0]);
  expect(await readFile(page, 'utf8')).toContain(`${sent} sent, ${sent} accepted`);
});

test('a ramp in which nothing holds ends with 1, and says each rate', async () => {
  const ramp = ['load', '--gateway', gateway.url, '--ramp', '--rate', '8', '--seconds', '1', '--p99', '0.001'];
  const { code, stdout, stderr } = await ordermesh([...ramp, '--json'], env());
  expect(stderr).toContain('8 orders a second: not held');
  expect(JSON.parse(stdout)).toMatchObject({ knee: { rate: 0, failsAt: 1, complete: true } });
  expect(code).toBe(1);
});

test.each([
  [['--stages', '100'], /--stages.*rates and times such as 100:30s,500:1m/],
  [['--stages', '100:1s', '--ramp'], /--stages.*cannot be used with.*--ramp/],
  [['--via', 'mqtt'], /--via.*http, ws, grpc/],
])('%j is refused with what would be right', async (options, says) => {
  const { code, stderr } = await ordermesh(['load', ...options], env());
  expect(stderr).toMatch(says);
  expect(code).toBe(2);
});
