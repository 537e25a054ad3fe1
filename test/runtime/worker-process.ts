import { startRuntime } from '../../runtime/host.ts';
import { runtimeOptions } from './harness.ts';

/** A worker in a process of its own, to be killed: `worker-process.ts TOPIC GROUP DATABASE_URL`. */
const [topic = '', group = '', databaseUrl = ''] = process.argv.slice(2);
await startRuntime(runtimeOptions(topic, group, databaseUrl));
process.send?.('started');
