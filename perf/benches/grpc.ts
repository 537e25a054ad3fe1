// Measures the gateway over gRPC beside HTTP. Called by perf/main.ts.

import { lastJson, program, runProgram } from '../child.ts';
import { startGatewayProcess } from '../load/gateway-process.ts';
import { acceptedLoad } from '../load/http-load.ts';
import type { Figures } from '../report.ts';
import { interleave, ratioFigure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const GATEWAY_PORT = 18_087;
/** HTTP answers one order a connection at a time; a gRPC stream has many in flight. As many orders are unanswered on both sides. */
const HTTP_CONNECTIONS = 256;
const STREAMS = 4;
const UNANSWERED = HTTP_CONNECTIONS / STREAMS;

/** One gateway, loaded over gRPC streams and over HTTP in turn: the same orders, durably stored, with tokens and metrics on. */
export async function benchGrpc(bench: Bench): Promise<Figures> {
  const { seconds, rounds } = bench;
  await using gateway = await startGatewayProcess(bench, GATEWAY_PORT);
  const { token } = gateway;
  const http = async () => {
    const url = `${gateway.url}/v1/orders`;
    const load = { url, connections: HTTP_CONNECTIONS, seconds, token, order: gateway.order };
    return (await acceptedLoad(load)).acceptedPerSecond;
  };
  const order = bench.sampleOrder();
  const message = JSON.stringify({
    ...order,
    channel: `CHANNEL_${order.channel.toUpperCase().replaceAll('-', '_')}`,
    payment: { ...order.payment, method: `PAYMENT_METHOD_${order.payment.method.toUpperCase()}` },
  });
  const grpc = async () => {
    const options = {
      url: gateway.grpcUrl,
      connections: STREAMS,
      unanswered: UNANSWERED,
      seconds,
      token,
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const output = await runProgram(program('perf/load/grpc-stream.ts'), args, { input: message });
    const { acceptedPerSecond, refused } = lastJson<{ acceptedPerSecond: number; refused: number }>(output);
    if (refused > 0) throw new Error(`${refused} orders were refused`);
    return acceptedPerSecond;
  };
  // One round that is not counted: the hot paths compile.
  await http();
  await grpc();
  const sides = await interleave(rounds, { grpc, http });
  return { grpc_stream_vs_http: ratioFigure(sides.grpc, sides.http, 'the same gateway over HTTP') };
}
