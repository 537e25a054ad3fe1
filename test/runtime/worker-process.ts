import { startRuntime } from '../../runtime/host/host.ts';
import { runtimeOptions } from './harness.ts';

/** A worker in a process of its own, to be killed: `worker-process.ts TOPIC GROUP DATABASE_URL [ACTOR_URL]`. */
const [topic = '', group = '', databaseUrl = '', actor] = process.argv.slice(2);
const options = runtimeOptions(topic, group, databaseUrl);
await startRuntime(actor === undefined ? options : { ...options, actorModule: new URL(actor) });
process.send?.('started');
