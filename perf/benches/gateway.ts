// Measures the throughput and latency of the gateway over HTTP. Called by perf/main.ts.

import { topics } from '../../contracts/topics.ts';
import { byMessage, program, startProgram } from '../child.ts';
import { startGatewayProcess } from '../load/gateway-process.ts';
import { acceptedLoad, type LoadResult } from '../load/http-load.ts';
import type { Figures } from '../report.ts';
import { figure, interleave, median, ratioFigure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const GATEWAY_PORT = 18_080;
const CEILING_PORT = 18_084;
const NODE_HTTP_PORT = 18_085;
const FASTIFY_PORT = 18_086;
const CONNECTIONS = 384;
/** Of the loads that are not counted. Gateway and broker compile their hot paths for long. */
const WARM_UP_SECONDS = 8;
const PEER_WARM_UP_SECONDS = 1;
/** Many short rounds, because the speed of the machine drifts within seconds. */
const ROUND_SECONDS = 2;
/** Shares of the gateway's rate at which its latency is measured. */
const HALF = 0.5;
const LOADS = [0.25, 0.7, 0.85];

/**
 * The gateway storing durably, with validation, tokens and metrics on, against servers that only answer and against the same gateway made of
 * other parts; then its latency at half of its rate.
 */
export async function benchGateway(bench: Bench): Promise<Figures> {
  const { env, seconds, rounds } = bench;
  await using gateway = await startGatewayProcess(bench, GATEWAY_PORT);
  const start = (file: string, args: string[]) => startProgram(program(file), args, { env, ready: byMessage });
  await using _ceiling = await start('perf/limits/uws-answer.ts', [String(CEILING_PORT)]);
  await using _nodeHttp = await start('perf/peers/node-http.ts', [String(NODE_HTTP_PORT)]);
  await using _fastify = await start('perf/peers/fastify-kafkajs/gateway.ts', [topics.rawOrders, String(FASTIFY_PORT)]);

  const { token, order } = gateway;
  const load = async (port: number, counted: number) => {
    const url = `http://127.0.0.1:${port}/v1/orders`;
    return (await acceptedLoad({ url, connections: CONNECTIONS, seconds: counted, token, order })).acceptedPerSecond;
  };
  for (const port of [CEILING_PORT, NODE_HTTP_PORT, FASTIFY_PORT]) await load(port, PEER_WARM_UP_SECONDS);
  await load(GATEWAY_PORT, WARM_UP_SECONDS);
  // These sides differ by whole factors, so a few short rounds are enough. The close comparison comes later, when everything is warm.
  const peers = await interleave(Math.ceil(rounds / 2), {
    nodeHttp: () => load(NODE_HTTP_PORT, seconds / 3),
    gateway: () => load(GATEWAY_PORT, seconds / 3),
    fastify: () => load(FASTIFY_PORT, seconds / 3),
  });
  const shortRounds = Math.floor((rounds * seconds) / ROUND_SECONDS);
  const bare = await interleave(shortRounds, {
    gateway: () => load(GATEWAY_PORT, ROUND_SECONDS),
    ceiling: () => load(CEILING_PORT, ROUND_SECONDS),
  });

  const peak = median([...bare.gateway, ...peers.gateway]);
  const paced = async (share: number): Promise<LoadResult> => {
    const rate = Math.round(peak * share);
    const url = `http://127.0.0.1:${GATEWAY_PORT}/v1/orders`;
    const open = await acceptedLoad({ url, connections: CONNECTIONS, seconds: ROUND_SECONDS, token, order, rate });
    if (open.unsent > 0) throw new Error(`${open.unsent} orders of ${share} of the gateway's rate found no connection`);
    return open;
  };
  const half: LoadResult[] = [];
  for (let round = 0; round < shortRounds; round++) half.push(await paced(HALF));
  await sweepLatency(bench, peak, half, paced);
  return {
    gateway_durable_vs_uws_ceiling: ratioFigure(
      bare.gateway,
      bare.ceiling,
      'uWebSockets.js parsing and answering, storing nothing',
    ),
    gateway_durable_vs_node_http: ratioFigure(
      peers.gateway,
      peers.nodeHttp,
      "Node's own HTTP server parsing and answering, storing nothing",
    ),
    gateway_durable_vs_fastify_kafkajs: ratioFigure(
      peers.gateway,
      peers.fastify,
      'Fastify with the same route, tokens and schema, and kafkajs sending what gathers during one request, acks=all',
    ),
    gateway_p99_ms_at_half_load: figure(
      half.map(({ latencyMs }) => latencyMs.p99),
      'ms',
      `open loop of ${Math.round(peak * HALF).toLocaleString('en')} orders/s on ${CONNECTIONS} connections, from when each order fell due; p50 ${median(half.map(({ latencyMs }) => latencyMs.p50)).toFixed(1)} ms`,
      1,
    ),
  };
}

/** The latency at other shares of the gateway's rate than the half, which is measured already. */
async function sweepLatency(
  { onSweep, rounds }: Bench,
  peak: number,
  half: readonly LoadResult[],
  paced: (share: number) => Promise<LoadResult>,
): Promise<void> {
  const results = new Map<number, LoadResult[]>(LOADS.map((share) => [share, []]));
  for (let round = 0; round < Math.ceil(rounds / 3); round++)
    for (const [share, of] of results) of.push(await paced(share));
  const all = [...results, [HALF, half] as const].sort(([a], [b]) => a - b);
  const series = (['p50', 'p99'] as const).map((name) => ({
    name,
    points: all.map(([share, of]) => ({
      x: Math.round(peak * share),
      rounds: of.map(({ latencyMs }) => latencyMs[name]),
    })),
  }));
  const versus = `open loop on ${CONNECTIONS} connections, from when each order fell due to its 202`;
  onSweep?.('gateway_latency_by_load', {
    title: 'Gateway: latency by load',
    x: 'orders/s',
    unit: 'ms',
    versus,
    series,
  });
}
