import { loadConfig } from '../../../contracts/config/config.ts';
import { startGateway } from '../../../gateway/index.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import type { MetricsSnapshot } from '../../../telemetry/metrics.ts';
import { AlternatingClock, together } from './alternating-clock.ts';

/**
 * A gateway of one process whose stage clock is on and off in turns. Its configuration comes from the environment, as for the role. It sends
 * its parent a message when it listens, and answers each message with the processor time of an order with the clock on / off so far.
 */
const config = loadConfig();
let snapshot: () => Promise<MetricsSnapshot> = async () => [];
await startGateway(config, createLogger('gateway', 'warn'), {
  showVitals: async (vitals) => {
    snapshot = vitals.snapshot;
    return { addresses: {}, close: async () => {} };
  },
});
const accepted = async () =>
  (await snapshot()).find(({ name }) => name === 'ordermesh_gateway_orders_accepted_total')?.values[0]?.value ?? 0;
const clock = new AlternatingClock(1_000);
async function look(): Promise<void> {
  clock.look(await accepted());
  setTimeout(look, 100).unref();
}
void look();
process.on('message', () => process.send?.({ ...together([clock.result()]), gateway: clock.result() }));
process.on('SIGTERM', () => process.exit(0));
process.send?.('listens');
