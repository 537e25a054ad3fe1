import { byAnswer, lastJson, program, runProgram, startProgram } from '../child.ts';
import { httpLoad } from '../load/http-load.ts';
import type { Figures } from '../report.ts';
import { interleave, ratioFigure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const GATEWAY_PORT = 18_083;
const GRPC_PORT = 18_084;
const ADMIN_PORT = 19_466;
/** HTTP answers one order a connection at a time; a gRPC stream has many under way. As many orders are unanswered on both sides. */
const HTTP_CONNECTIONS = 256;
const STREAMS = 4;
const UNANSWERED = HTTP_CONNECTIONS / STREAMS;

/** One gateway, loaded over gRPC streams and over HTTP in turn: the same orders, durably stored, with tokens and metrics on. */
export async function benchGrpc({ env, seconds, rounds, sampleOrder }: Bench): Promise<Figures> {
  const order = sampleOrder();
  const issued = await runProgram(program('cli/main.ts'), ['token', '--store', order.storeId], { env });
  const token = issued.trim().split('\n').at(-1) ?? '';
  await using _gateway = await startProgram(program('cli/main.ts'), ['gateway'], {
    env: {
      ...env,
      ORDERMESH_GATEWAY_PORT: String(GATEWAY_PORT),
      ORDERMESH_GRPC_PORT: String(GRPC_PORT),
      ORDERMESH_ADMIN_PORT: String(ADMIN_PORT),
      ORDERMESH_LOG_LEVEL: 'warn',
    },
    ready: byAnswer(`http://127.0.0.1:${ADMIN_PORT}/readyz`),
  });
  const http = async () => {
    const url = `http://127.0.0.1:${GATEWAY_PORT}/v1/orders`;
    const load = { url, connections: HTTP_CONNECTIONS, seconds, token, order: JSON.stringify(order) };
    return (await httpLoad(load)).acceptedPerSecond;
  };
  const message = JSON.stringify({
    ...order,
    channel: `CHANNEL_${order.channel.toUpperCase().replaceAll('-', '_')}`,
    payment: { ...order.payment, method: `PAYMENT_METHOD_${order.payment.method.toUpperCase()}` },
  });
  const grpc = async () => {
    const options = {
      url: `http://127.0.0.1:${GRPC_PORT}`,
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
