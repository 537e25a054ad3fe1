import type { Bench } from '../benches/bench.ts';
import { byAnswer, type Program, program, runProgram, startProgram } from '../child.ts';

/** A gateway that runs for a benchmark, and what a load needs to reach it. */
export interface GatewayProcess extends Program {
  /** Of its HTTP port, without a path. */
  url: string;
  grpcUrl: string;
  token: string;
  /** As JSON; the token is for its store. */
  order: string;
}

/** Starts `ordermesh gateway` with validation, tokens and metrics on, at three ports from `firstPort` on. */
export async function startGatewayProcess(
  { env, sampleOrder }: Pick<Bench, 'env' | 'sampleOrder'>,
  firstPort: number,
  settings: Record<string, string> = {},
): Promise<GatewayProcess> {
  const order = sampleOrder();
  const issued = await runProgram(program('cli/main.ts'), ['token', '--store', order.storeId], { env });
  const [httpPort, grpcPort, adminPort] = [firstPort, firstPort + 1, firstPort + 2];
  const gateway = await startProgram(program('cli/main.ts'), ['gateway'], {
    env: {
      ...env,
      ORDERMESH_GATEWAY_PORT: String(httpPort),
      ORDERMESH_GRPC_PORT: String(grpcPort),
      ORDERMESH_ADMIN_PORT: String(adminPort),
      ORDERMESH_LOG_LEVEL: 'warn',
      ...settings,
    },
    ready: byAnswer(`http://127.0.0.1:${adminPort}/readyz`),
  });
  return {
    ...gateway,
    url: `http://127.0.0.1:${httpPort}`,
    grpcUrl: `http://127.0.0.1:${grpcPort}`,
    token: issued.trim().split('\n').at(-1) ?? '',
    order: JSON.stringify(order),
  };
}
