import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { EdgeStatus } from '../../edge/index.ts';
import { byAnswer, lastJson, type Program, program, runProgram, startProgram } from '../child.ts';
import { httpLoad } from '../load/http-load.ts';
import type { Figures } from '../report.ts';
import { figure, median } from '../rounds.ts';
import type { Bench } from './bench.ts';

const GATEWAY_PORT = 18_080;
const GATEWAY_GRPC_PORT = 18_082;
const GATEWAY_ADMIN_PORT = 19_464;
const EDGE_PORT = 18_083;
const EDGE_ADMIN_PORT = 19_472;
const CONNECTIONS = 64;
const BATCH_ORDERS = 100_000;

/**
 * The edge agent: durable 202s with its line down, the start with a backlog in the spool, and how fast that backlog goes to the region,
 * against the same batches sent to the same gateway by a client that has them in memory.
 */
export async function benchEdge(bench: Bench, backlog: number): Promise<Figures> {
  const directory = await mkdtemp(path.join(tmpdir(), 'ordermesh-edge-'));
  try {
    return { ...(await selling(bench, directory)), ...(await forwarding(bench, directory, backlog)) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Nothing listens at the other end: every order stays on the disk. */
async function selling({ env, seconds, rounds, sampleOrder }: Bench, directory: string): Promise<Figures> {
  const order = sampleOrder();
  const token = await tokenFor(order.storeId, env);
  const rates: number[] = [];
  await using _agent = await startAgent(env, { directory, spool: 'selling.db', token });
  for (let round = 0; round <= rounds; round++) {
    const url = `http://127.0.0.1:${EDGE_PORT}/v1/orders`;
    const load = { url, connections: CONNECTIONS, seconds, token, order: JSON.stringify(order) };
    const { acceptedPerSecond, statuses } = await httpLoad(load);
    if (Object.keys(statuses).some((status) => status !== '202'))
      throw new Error(`the load was not accepted: ${JSON.stringify(statuses)}`);
    // The first round warms up.
    if (round > 0) rates.push(acceptedPerSecond);
  }
  const versus = `orders fsynced to disk before their 202, ${CONNECTIONS} connections, line down; the bar is 2,000`;
  return { edge_durable_per_second: figure(rates, 'orders/s', versus) };
}

async function forwarding({ env, sampleOrder }: Bench, directory: string, backlog: number): Promise<Figures> {
  const order = sampleOrder();
  const token = await tokenFor(order.storeId, env);
  const spool = 'backlog.db';
  const fill = [path.join(directory, spool), String(backlog)];
  await runProgram(program('perf/load/fill-spool.ts'), fill, { input: JSON.stringify(order) });
  await using _gateway = await startProgram(program('cli/main.ts'), ['gateway'], {
    env: {
      ...env,
      ORDERMESH_GATEWAY_PORT: String(GATEWAY_PORT),
      ORDERMESH_GRPC_PORT: String(GATEWAY_GRPC_PORT),
      ORDERMESH_ADMIN_PORT: String(GATEWAY_ADMIN_PORT),
      ORDERMESH_LOG_LEVEL: 'warn',
    },
    ready: byAnswer(`http://127.0.0.1:${GATEWAY_ADMIN_PORT}/readyz`),
  });
  const upstream = `http://127.0.0.1:${GATEWAY_PORT}`;
  const direct = async () => {
    const load = [upstream, token, String(BATCH_ORDERS)];
    return lastJson<number>(
      await runProgram(program('perf/load/batch-load.ts'), load, { input: JSON.stringify(order) }),
    );
  };
  // One round that is not counted, then one before and one after the backlog.
  await direct();
  const before = await direct();
  const startedAt = performance.now();
  await using agent = await startAgent(env, { directory, spool, token, upstream });
  const startMs = performance.now() - startedAt;
  const { perSecond, memory } = await drain(agent, backlog);
  const after = await direct();
  const batches = median([before, after]);
  const count = backlog.toLocaleString('en');
  return {
    edge_start_ms: figure(
      [startMs],
      'ms',
      `process start to ready with ${count} unsent orders in the spool; the bar is 2,000`,
    ),
    edge_forward_vs_gateway_batches: figure(
      [perSecond / before, perSecond / after],
      'ratio',
      `the same packed batches sent by a client from memory; ${count} orders at ${Math.round(perSecond).toLocaleString('en')}/s against ${batches.toLocaleString('en')}/s`,
      3,
    ),
    edge_forward_memory_growth: figure(
      [memory.last / memory.first],
      'ratio',
      `resident set in the last third of the backlog of ${count} (${mib(memory.last)}) against the first (${mib(memory.first)})`,
      3,
    ),
  };
}

const SAMPLE_MS = 250;

/** Watches the backlog go: its rate, and the largest resident set of the first and the last third. */
async function drain({ child }: Program, backlog: number) {
  const memory = { first: 0, last: 0 };
  let from: { at: number; unsent: number } | undefined;
  for (;;) {
    const { spool } = (await (await fetch(`http://127.0.0.1:${EDGE_ADMIN_PORT}/status.json`)).json()) as EdgeStatus;
    from ??= { at: performance.now(), unsent: spool.unsent };
    if (spool.refused > 0) throw new Error(`the region refused ${spool.refused} orders`);
    const resident = await residentBytes(child.pid ?? 0);
    if (spool.unsent > (backlog * 2) / 3) memory.first = Math.max(memory.first, resident);
    if (spool.unsent < backlog / 3) memory.last = Math.max(memory.last, resident);
    if (spool.unsent === 0) {
      const seconds = (performance.now() - from.at) / 1_000;
      return { perSecond: from.unsent / seconds, memory };
    }
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
  }
}

/** From /proc, so this bench runs on Linux only. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024;
}

interface AgentOptions {
  directory: string;
  spool: string;
  token: string;
  /** Default: an address without a listener. */
  upstream?: string;
}

async function startAgent(
  env: Record<string, string>,
  { directory, spool, token, upstream }: AgentOptions,
): Promise<Program> {
  const tokenFile = path.join(directory, 'token');
  await writeFile(tokenFile, token);
  return startProgram(program('cli/main.ts'), ['edge'], {
    env: {
      ...env,
      ORDERMESH_GATEWAY_PORT: String(EDGE_PORT),
      ORDERMESH_ADMIN_PORT: String(EDGE_ADMIN_PORT),
      ORDERMESH_EDGE_UPSTREAM: upstream ?? 'http://127.0.0.1:9',
      ORDERMESH_EDGE_TOKEN_FILE: tokenFile,
      ORDERMESH_EDGE_SPOOL: path.join(directory, spool),
      ORDERMESH_EDGE_UNSENT_ORDERS_MAX: '10000000',
      ORDERMESH_LOG_LEVEL: 'error',
    },
    ready: byAnswer(`http://127.0.0.1:${EDGE_ADMIN_PORT}/readyz`),
  });
}

async function tokenFor(store: string, env: Record<string, string>): Promise<string> {
  const output = await runProgram(program('cli/main.ts'), ['token', '--store', store], { env });
  return output.trim().split('\n').at(-1) ?? '';
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
