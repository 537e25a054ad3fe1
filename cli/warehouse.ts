import { Command } from 'commander';
import { connectedConfig } from './environment.ts';
import { runRole } from './role.ts';

export function warehouseCommand(): Command {
  return new Command('warehouse').description('Carries events from Pub/Sub into BigQuery.').action(async () => {
    const { startWarehouse } = await import('../bridge/warehouse.ts');
    await runRole('warehouse', await connectedConfig(), startWarehouse);
  });
}
