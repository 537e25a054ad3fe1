// Measures the gateway over WebSockets beside HTTP. Called by perf/main.ts.

import { lastJson } from '../child.ts';
import { startGatewayProcess } from '../load/gateway-process.ts';
import { acceptedLoad, javaLoad } from '../load/http-load.ts';
import { residentBytes, residentBytesDuring } from '../load/resident-bytes.ts';
import type { Figures } from '../report.ts';
import { figure, interleave, ratioFigure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const GATEWAY_PORT = 18_090;
/** HTTP answers one order a connection at a time; a WebSocket has many in flight. As many orders are unanswered on both sides. */
const HTTP_CONNECTIONS = 256;
const WEBSOCKETS = 16;
const UNANSWERED = HTTP_CONNECTIONS / WEBSOCKETS;
const IDLE_WEBSOCKETS = 10_000;
const IDLE_SECONDS = 2;
const WARM_UP_SECONDS = 1;

const program = 'perf/load/WebSocketLoad.java';

/** One gateway, loaded over WebSockets and over HTTP in turn; then what an idle WebSocket costs. */
export async function benchWebSocket(bench: Bench): Promise<Figures> {
  return { ...(await idleMemory(bench)), ...(await throughput(bench)) };
}

async function throughput(bench: Bench): Promise<Figures> {
  const { seconds, rounds } = bench;
  await using gateway = await startGatewayProcess(bench, GATEWAY_PORT);
  const { url, token, order } = gateway;
  const http = async (counted = seconds) => {
    const load = { url: `${url}/v1/orders`, connections: HTTP_CONNECTIONS, seconds: counted, token, order };
    return (await acceptedLoad(load)).acceptedPerSecond;
  };
  const websocket = async (counted = seconds) => {
    const options = {
      url: `${url}/v1/stream`,
      connections: WEBSOCKETS,
      unanswered: UNANSWERED,
      seconds: counted,
      token,
    };
    const output = await javaLoad(program, options, order);
    const { acceptedPerSecond, refused } = lastJson<{ acceptedPerSecond: number; refused: number }>(output);
    if (refused > 0) throw new Error(`${refused} orders were refused`);
    return acceptedPerSecond;
  };
  // Not counted: the hot paths compile.
  await http(WARM_UP_SECONDS);
  await websocket(WARM_UP_SECONDS);
  const sides = await interleave(Math.floor(rounds / 2), { websocket: () => websocket(), http: () => http() });
  return {
    gateway_websocket_vs_http: ratioFigure(
      sides.websocket,
      sides.http,
      `the same gateway over HTTP, as many orders unanswered: ${WEBSOCKETS} WebSockets with ${UNANSWERED} each`,
    ),
  };
}

/** In a process that has done nothing else, so that no memory it had before hides the connections'. */
async function idleMemory(bench: Bench): Promise<Figures> {
  await using gateway = await startGatewayProcess(bench, GATEWAY_PORT);
  const { url, token } = gateway;
  const before = await residentBytes(gateway.child);
  const options = {
    url: `${url}/v1/stream`,
    connections: IDLE_WEBSOCKETS,
    unanswered: 0,
    seconds: IDLE_SECONDS,
    token,
  };
  const held = javaLoad(program, options, '');
  const during = Math.max(...(await residentBytesDuring(gateway.child, held)));
  const { open } = lastJson<{ open: number }>(await held);
  return {
    gateway_idle_websocket_bytes: figure(
      [(during - before) / open],
      'bytes',
      `resident memory of the gateway for each of ${open.toLocaleString('en')} WebSocket connections that say nothing, as it was at its largest`,
    ),
  };
}
