import { Command } from 'commander';
import { connectedConfig } from '../../stack/environment.ts';
import { runRole } from '../../telemetry/role.ts';

export function warehouseCommand(): Command {
  return new Command('warehouse').description('Carries events from Pub/Sub into BigQuery.').action(async () => {
    const { startWarehouse } = await import('../../bridge/warehouse/index.ts');
    await runRole('warehouse', await connectedConfig(), startWarehouse);
  });
}
