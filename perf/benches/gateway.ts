import { byAnswer, byMessage, program, runProgram, startProgram } from '../child.ts';
import { httpLoad } from '../load/http-load.ts';
import type { Figures } from '../report.ts';
import { interleave, ratioFigure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const GATEWAY_PORT = 18_080;
const GATEWAY_GRPC_PORT = 18_082;
const GATEWAY_ADMIN_PORT = 19_464;
const CEILING_PORT = 18_081;
const CONNECTIONS = 256;

/** The gateway storing durably, with validation, tokens and metrics on, against uWebSockets.js that parses, answers and stores nothing. */
export async function benchGateway({ env, seconds, rounds, sampleOrder }: Bench): Promise<Figures> {
  const order = sampleOrder();
  const token =
    (await runProgram(program('cli/main.ts'), ['token', '--store', order.storeId], { env }))
      .trim()
      .split('\n')
      .at(-1) ?? '';
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
  await using _ceiling = await startProgram(program('perf/limits/uws-answer.ts'), [String(CEILING_PORT)], {
    ready: byMessage,
  });

  const load = async (port: number) => {
    const url = `http://127.0.0.1:${port}/v1/orders`;
    const load = { url, connections: CONNECTIONS, seconds, token, order: JSON.stringify(order) };
    const result = await httpLoad(load);
    const refused = Object.keys(result.statuses).filter((status) => status !== '202');
    if (refused.length > 0) throw new Error(`the load was not accepted: ${JSON.stringify(result.statuses)}`);
    return result.acceptedPerSecond;
  };
  // One round that is not counted: both sides and the broker compile their hot paths.
  await load(CEILING_PORT);
  await load(GATEWAY_PORT);
  const { gateway, ceiling } = await interleave(rounds, {
    gateway: () => load(GATEWAY_PORT),
    ceiling: () => load(CEILING_PORT),
  });
  return {
    gateway_durable_vs_uws_ceiling: ratioFigure(
      gateway,
      ceiling,
      'uWebSockets.js parsing and answering, storing nothing',
    ),
  };
}
