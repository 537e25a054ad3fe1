import { startBridge } from '../../bridge/index.ts';
import { createPubSub, googleCloudAddress } from '../../bridge/pubsub/index.ts';
import { loadConfig } from '../../contracts/config/config.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { dropPerfNames, perfNames } from './bridge-names.ts';

/**
 * The bridge, draining a backlog of paid orders.
 *
 *   KAFKA_BROKERS=… PUBSUB_EMULATOR_HOST=… node perf/load/bridge-run.ts TOPIC MESSAGES
 *
 * Prints one JSON line: messages per second, after the first tenth.
 */
const [topic, wanted] = process.argv.slice(2);
if (topic === undefined || wanted === undefined) throw new Error('usage: bridge-run.ts TOPIC MESSAGES');
const names = perfNames();
const config = loadConfig({ ...process.env, ORDERMESH_ADMIN_PORT: '0' });
const bridge = await startBridge(config, createLogger('bridge', 'warn'), { topic, group: names.topic, names });

interface View {
  partitions: { frontier?: number }[];
}
const finished = async () => {
  const view = (await (await fetch(`${bridge.addresses.admin}/debug/runtime`)).json()) as View;
  // The topic is read from its beginning, offset 0.
  return view.partitions.reduce((sum, { frontier }) => sum + (frontier ?? 0), 0);
};
const from = await reach(Number(wanted) / 10);
const to = await reach(Number(wanted));
const messagesPerSecond = Math.round((to.messages - from.messages) / ((to.at - from.at) / 1_000));
console.log(JSON.stringify({ messagesPerSecond }));
await bridge.close();
await dropPerfNames(createPubSub(googleCloudAddress(config)), names);
process.exit();

async function reach(goal: number): Promise<{ messages: number; at: number }> {
  for (;;) {
    const messages = await finished();
    if (messages >= goal) return { messages, at: performance.now() };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
