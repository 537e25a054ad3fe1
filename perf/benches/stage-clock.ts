// Measures what the stage clock itself costs the runtime and the gateway. Called by perf/main.ts.

import { once } from 'node:events';
import { byMessage, lastJson, program, runProgram, startProgram } from '../child.ts';
import { acceptedLoad } from '../load/http-load.ts';
import type { Figures } from '../report.ts';
import { figure } from '../rounds.ts';
import type { Bench } from './bench.ts';

const TOPIC = 'perf-stage-clock';
const GATEWAY_PORT = 18_090;
const CONNECTIONS = 384;
const COUNTED =
  'looks at the clock and ends of callbacks, counted, times what each costs, of the processor time of a message';

/** What a program beside `perf/load/on-off/alternating-clock.ts` tells. */
interface Cost {
  ratio: number;
  countedShare: number;
}

/** Both with an actor or a load for which the clock is the largest part of the work that it can be. */
export async function benchStageClock(bench: Bench): Promise<Figures> {
  return { ...(await ofRuntime(bench)), ...(await ofGateway(bench)) };
}

export async function ofRuntime({ env, rounds, messages }: Bench): Promise<Figures> {
  await runProgram(program('perf/load/fill-orders.ts'), [TOPIC, String(messages * 3)], { env });
  const ratios: number[] = [];
  const counted: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const output = await runProgram(program('perf/load/on-off/runtime-on-off.ts'), [TOPIC, String(messages * 3)], {
      env,
    });
    const { ratio, countedShare } = lastJson<Cost>(output);
    ratios.push(ratio);
    counted.push(100 * countedShare);
  }
  const versus = 'the same threads with the clock off, processor time of a message, an actor that does nothing';
  return {
    runtime_stage_clock_on_vs_off: figure(ratios, 'ratio', versus, 4),
    runtime_stage_clock_counted: figure(counted, '%', COUNTED, 3),
  };
}

export async function ofGateway({ env, rounds, seconds, sampleOrder }: Bench): Promise<Figures> {
  const order = sampleOrder();
  const issued = await runProgram(program('cli/main.ts'), ['token', '--store', order.storeId], { env });
  const token = issued.trim().split('\n').at(-1) ?? '';
  const ratios: number[] = [];
  const counted: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await using gateway = await startProgram(program('perf/load/on-off/gateway-on-off.ts'), [], {
      env: {
        ...env,
        ORDERMESH_GATEWAY_PORT: String(GATEWAY_PORT),
        ORDERMESH_GRPC_PORT: String(GATEWAY_PORT + 1),
        ORDERMESH_LOG_LEVEL: 'warn',
      },
      ready: byMessage,
    });
    const url = `http://127.0.0.1:${GATEWAY_PORT}/v1/orders`;
    await acceptedLoad({ url, connections: CONNECTIONS, seconds: 4 * seconds, token, order: JSON.stringify(order) });
    const answer = once(gateway.child, 'message');
    gateway.child.send('how much');
    const [{ ratio, countedShare }] = (await answer) as [Cost];
    ratios.push(ratio);
    counted.push(100 * countedShare);
  }
  const versus = 'the same gateway with the clock off, processor time of an order over HTTP';
  return {
    gateway_stage_clock_on_vs_off: figure(ratios, 'ratio', versus, 4),
    gateway_stage_clock_counted: figure(counted, '%', COUNTED, 3),
  };
}
