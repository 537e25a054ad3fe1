import { Command } from 'commander';
import { connectedConfig } from './environment.ts';
import { runRole } from './role.ts';

export function gatewayCommand(): Command {
  return new Command('gateway')
    .description('Takes orders over HTTP and WebSocket and answers 202 once Kafka has them durably.')
    .action(async () => {
      const { startGateway } = await import('../gateway/gateway.ts');
      await runRole('gateway', await connectedConfig(), startGateway);
    });
}
