import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProducer, type RecordProducer } from '../../kafka/index.ts';
import { type Runtime, startRuntime } from '../../runtime/host/host.ts';
import { type OwnBroker, startOwnBroker } from '../support/own-broker.ts';
import { runtimeOptions, until } from './harness.ts';

const PARTITIONS = 4;
/** Invariant 10. */
const TOLD_WITHIN_MS = 15_000;
const STOPPED_MS = 60_000;
const DEAD_MS = 30_000;
const TRAFFIC_INTERVAL_MS = 50;

interface Worker extends AsyncDisposable {
  runtime: Runtime;
  lines: string[];
}

/** Shown when the test fails. */
const story: string[] = [];
let broker: OwnBroker;
let producer: RecordProducer;

beforeAll(async () => {
  broker = await startOwnBroker();
  producer = await createProducer({ clientId: 'test', cluster: broker.cluster, deadlineMs: 2_000 });
});
afterAll(async () => {
  await producer.close();
  await broker[Symbol.asyncDispose]();
});

async function startWorker(name: string): Promise<Worker> {
  await broker.createTopic(name, PARTITIONS);
  const lines: string[] = [];
  const logger = pino(
    { level: 'info' },
    {
      write(line: string) {
        const { msg, reason = '', time } = JSON.parse(line) as { msg: string; reason?: string; time: number };
        lines.push(msg);
        story.push(`${new Date(time).toISOString()} ${name} ${msg} ${reason}`);
      },
    },
  );
  const runtime = await startRuntime({
    ...runtimeOptions(name, `${name}-group`, ''),
    database: undefined,
    actorModule: new URL('./actors/decoding-actor.ts', import.meta.url),
    cluster: broker.cluster,
    sessionTimeoutMs: 10_000,
    logger,
  });
  const worker = { runtime, lines, [Symbol.asyncDispose]: () => runtime.close() };
  await until(
    () => runtime.view().partitions,
    (partitions) => partitions.length === PARTITIONS && partitions.every(({ phase }) => phase === 'running'),
  );
  return worker;
}

/** Sends records at a fixed rate until it is stopped. Records that the broker does not take within the producer's deadline are dropped. */
function traffic(topic: string): () => Promise<void> {
  const records = Array.from({ length: 20 }, (_, key) => ({ topic, key: `k${key}`, value: '{"n":1}' }));
  const pending = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const sent: Promise<void> = producer
      .send(records)
      .catch(() => {})
      .finally(() => pending.delete(sent));
    pending.add(sent);
  }, TRAFFIC_INTERVAL_MS);
  return async () => {
    clearInterval(timer);
    await Promise.all(pending);
  };
}

/** Each worker says within `TOLD_WITHIN_MS` that it is not ready, and none says that it is ready before `ms` have passed. */
async function expectNotReady(workers: Worker[], ms: number): Promise<void> {
  const end = Date.now() + ms;
  const reasons = () => workers.map(({ runtime }) => runtime.readiness());
  await until(reasons, (all) => !all.includes(undefined), TOLD_WITHIN_MS);
  const ready = until(reasons, (all) => all.includes(undefined), end - Date.now());
  await expect(ready).rejects.toThrow('gave up waiting');
}

/** Waits until it is ready. After a broker's start, a member's first attempt to join may fail. */
async function expectReady({ runtime, lines }: Worker): Promise<void> {
  await until(
    () => runtime.readiness(),
    (reason) => reason === undefined,
    60_000,
  );
  lines.length = 0;
}

async function expectToldOnce(worker: Worker): Promise<void> {
  const told = worker.lines;
  await until(
    () => worker.runtime.readiness(),
    (reason) => reason === undefined,
    60_000,
  );
  const count = (text: string) => told.filter((line) => line === text).length;
  const counts = [count('consumer group member does not work'), count('consumer group member works again')];
  expect(counts, story.join('\n')).toEqual([1, 1]);
  told.length = 0;
}

test('a broker that is stopped and then dead for good is told, with and without traffic, until it answers again', {
  timeout: 300_000,
}, async () => {
  await using idle = await startWorker('idle');
  await using busy = await startWorker('busy');
  const workers = [idle, busy];
  const stopTraffic = traffic('busy');
  await until(
    () => busy.runtime.view().partitions,
    (partitions) => partitions.every(({ frontier }) => (frontier ?? 0) > 0),
  );

  for (const worker of workers) await expectReady(worker);
  broker.freeze();
  await expectNotReady(workers, STOPPED_MS);
  for (const { runtime } of workers)
    expect(runtime.readiness()).toMatch(/the member of group \w+-group stands since \d{4}-.*Z \(.+\)/);
  const [metrics] = await busy.runtime.metrics();
  const names = (metrics as { name: string; values: { value: number }[] }[] | undefined) ?? [];
  const values = (name: string) => names.find((metric) => metric.name === name)?.values.map(({ value }) => value) ?? [];
  expect(values('ordermesh_runtime_lag')).toHaveLength(PARTITIONS);
  expect(Math.min(...values('ordermesh_runtime_frontier_age_seconds'))).toBeGreaterThan(STOPPED_MS / 2_000);
  expect(values('ordermesh_runtime_standing_partitions')).toEqual([PARTITIONS]);
  broker.thaw();
  for (const worker of workers) await expectToldOnce(worker);

  await broker.kill();
  await expectNotReady(workers, DEAD_MS);
  await broker.restart();
  for (const worker of workers) await expectToldOnce(worker);
  await stopTraffic();
});
