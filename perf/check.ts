// Guards the ratios of the hot paths in continuous integration, at toy size: `make perf-check`.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ConnectedConfig, loadConfig } from '../contracts/config/config.ts';
import type { Order } from '../contracts/order/order.ts';
import { applyTopics, withAdmin } from '../kafka/index.ts';
import { createTraffic } from '../lab/traffic/index.ts';
import { startCore } from '../stack/index.ts';
import { createLogger } from '../telemetry/logger.ts';
import type { Bench } from './benches/bench.ts';
import { benchCpuBound } from './benches/runtime.ts';
import { byMessage, lastJson, program, runProgram, startProgram } from './child.ts';
import { bars, barText } from './figures/bars.ts';
import type { Figures } from './figures/figure.ts';
import { isBroken } from './figures/guard.ts';
import { startGatewayProcess } from './load/gateway-process.ts';
import { acceptedLoad } from './load/http-load.ts';
import { interleave, ratioFigure } from './rounds.ts';

const ROUNDS = 3;
const SECONDS = 1;
const MESSAGES = 100_000;
const TOPIC = 'perf-check';
const GATEWAY_PORT = 18_100;
const CEILING_PORT = 18_104;
const CONNECTIONS = 256;
/** The hot paths compile. */
const WARM_UP_SECONDS = 4;

const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-perf-check-'));
process.env.ORDERMESH_DATA_DIR = directory;
const stack = await startCore(loadConfig(), createLogger('perf-check', 'error'));
let broken = 0;
try {
  const env = { ...stack.environment, ORDERMESH_DATA_DIR: directory };
  const config = loadConfig(env) as ConnectedConfig;
  await withAdmin(config, (admin) => applyTopics(admin, config));
  const bench: Bench = {
    env,
    seconds: SECONDS,
    rounds: ROUNDS,
    messages: MESSAGES,
    sampleOrder: () => JSON.parse(createTraffic({ seed: 1 }).order(Date.now()).body) as Order,
  };
  await runProgram(program('perf/load/fill-orders.ts'), ['perf-runtime', String(MESSAGES)], bench);
  for (const measure of [gatewayRatio, loopRatio, benchCpuBound]) report(await measure(bench));
} finally {
  await stack.close();
  await rm(directory, { recursive: true, force: true, maxRetries: 10 });
}
process.exitCode = broken === 0 ? 0 : 1;

function report(figures: Figures): void {
  for (const [name, figure] of Object.entries(figures)) {
    const bar = bars[name];
    if (bar === undefined) continue;
    const verdict = isBroken(figure, bar) ? `BROKEN: every round is far beyond its bar, ${barText(bar)}` : 'ok';
    if (verdict !== 'ok') broken++;
    console.log(`${name} ${figure.value} (${figure.rounds.join(', ')}) ${verdict}`);
  }
}

async function gatewayRatio(bench: Bench): Promise<Figures> {
  await using gateway = await startGatewayProcess(bench, GATEWAY_PORT);
  await using _ceiling = await startProgram(program('perf/limits/uws-answer.ts'), [String(CEILING_PORT)], {
    env: bench.env,
    ready: byMessage,
  });
  const load = (port: number, seconds: number) => async () => {
    const url = `http://127.0.0.1:${port}/v1/orders`;
    return (await acceptedLoad({ ...gateway, url, connections: CONNECTIONS, seconds, warmUp: 0.5 })).acceptedPerSecond;
  };
  await load(CEILING_PORT, SECONDS)();
  await load(GATEWAY_PORT, WARM_UP_SECONDS)();
  const sides = { gateway: load(GATEWAY_PORT, SECONDS), ceiling: load(CEILING_PORT, SECONDS) };
  const rounds = await interleave(ROUNDS, sides);
  return { gateway_durable_vs_uws_ceiling: ratioFigure(rounds.gateway, rounds.ceiling, 'a server that only answers') };
}

async function loopRatio({ env }: Bench): Promise<Figures> {
  await runProgram(program('perf/load/fill-orders.ts'), [TOPIC, String(MESSAGES)], { env });
  const throughput = (file: string) => async () =>
    lastJson<{ messagesPerSecond: number }>(await runProgram(program(file), [TOPIC, String(MESSAGES)], { env }))
      .messagesPerSecond;
  const sides = {
    runtime: throughput('perf/load/runtime-throughput.ts'),
    loop: throughput('perf/limits/runtime-loop.ts'),
  };
  const { runtime, loop } = await interleave(ROUNDS, sides);
  return { runtime_noop_vs_bare_loop: ratioFigure(runtime, loop, 'a bare loop') };
}
