// Stops a consumer's runner while the set of brokers changes. The process ends when the fetchers end. Run by stopped-runner.test.ts.
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import '../../kafka/kafkajs/kafkajs-internals.ts';

const require = createRequire(import.meta.url);
const Runner = require('kafkajs/src/consumer/runner.js');
const { createLogger, LEVELS } = require('kafkajs/src/loggers/index.js');

const asked = Promise.withResolvers<void>();
const answer = Promise.withResolvers<unknown[]>();
let changes = false;
let stopping: Promise<void> | undefined;
const consumerGroup = {
  groupId: 'group',
  memberId: 'member',
  connect: async () => {},
  joinAndSync: async () => {},
  leave: async () => {},
  heartbeat: async () => {},
  getNodeIds: () => {
    if (!changes) return [1];
    // At the moment when the fetchers learn of another broker, before new fetchers are made.
    stopping ??= runner.stop();
    return [1, 2];
  },
  fetch: () => {
    asked.resolve();
    return answer.promise;
  },
};
const logger = createLogger({ level: LEVELS.NOTHING, logCreator: () => () => {} });
const runner = new Runner({
  logger,
  consumerGroup,
  instrumentationEmitter: new EventEmitter(),
  eachBatch: async () => {},
  onCrash: () => {},
  retry: { retries: 0 },
});
await runner.start();
await asked.promise;
changes = true;
answer.resolve([]);
await new Promise((resolve) => setTimeout(resolve, 10));
await stopping;
console.log('stopped');
