import { Command } from 'commander';
import { kafkaConfig } from '../../stack/environment.ts';
import { runRole } from '../../telemetry/role.ts';
import { wholeNumber } from '../options.ts';

interface GatewayOptions {
  /** 0: one a core. Absent: as configured. */
  processes?: number;
}

export function gatewayCommand(): Command {
  return new Command('gateway')
    .description('Takes orders over HTTP and WebSocket and answers 202 once Kafka has them durably.')
    .option('--processes <n|auto>', 'processes on the one port; auto is one a core', processes)
    .action(async (options: GatewayOptions) => {
      const connected = await kafkaConfig();
      const count = options.processes ?? connected.ORDERMESH_GATEWAY_PROCESSES;
      const config = { ...connected, ORDERMESH_GATEWAY_PROCESSES: count };
      if (count === 1) {
        const { startGateway } = await import('../../gateway/index.ts');
        await runRole('gateway', config, startGateway);
      } else {
        const { startGatewayCluster } = await import('../../gateway/index.ts');
        await runRole('gateway', config, startGatewayCluster);
      }
    });
}

function processes(text: string): number {
  return text === 'auto' ? 0 : wholeNumber(1, 256)(text);
}
