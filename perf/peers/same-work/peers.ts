// The competitors of the same work: how each is built, started and set. Called by perf/benches/peers.ts.

import { javaCommand } from '../../../stack/index.ts';
import { program } from '../../child.ts';
import { parallelConsumerProgram } from '../parallel-consumer/build.ts';
import { buildWatermill } from './watermill/build.ts';

export interface Peer {
  /** In names of figures. */
  name: string;
  /** How it is set: what a reader must know to judge the comparison. */
  settings: string;
  /** Part of all records that it gets, so that a run of a slow one takes about as long as the others' runs. */
  share: number;
  /**
   * Builds the program the first time.
   * @returns its command line, which the arguments of the work follow
   * @throws an error that says which tool is missing
   */
  prepare(): Promise<readonly string[]>;
}

const nodePeer = (file: string) => async () => [process.execPath, program(`perf/peers/same-work/node/${file}`)];

export const ordermesh: Peer = {
  name: 'ordermesh',
  settings: 'two slots, turns of up to 1,000 messages with a fenced transaction each',
  share: 1,
  prepare: nodePeer('ordermesh.ts'),
};

export const peers: readonly Peer[] = [
  {
    name: 'bare_loop',
    settings: 'kafkajs, packed batches, pinned threads that decide and produce with our producer, and no guarantees',
    share: 1,
    prepare: nodePeer('bare-loop.ts'),
  },
  {
    name: 'kafkajs',
    settings: 'eachBatch, 4 partitions at a time, one send a batch',
    share: 1,
    prepare: nodePeer('kafkajs.ts'),
  },
  {
    name: 'platformatic_kafka',
    settings: '@platformatic/kafka, a stream of messages, one send in flight with all that has gathered meanwhile',
    share: 1,
    prepare: nodePeer('platformatic.ts'),
  },
  parallelConsumer('parallel_consumer', { concurrency: 50, batch: 500 }, 1 / 3),
  parallelConsumer('parallel_consumer_defaults', { concurrency: 16, batch: 1 }, 1 / 60),
  {
    name: 'watermill',
    settings: 'Watermill with its router; a message in flight for each partition, as the library has it',
    share: 1 / 15,
    prepare: async () => [await buildWatermill()],
  },
];

function parallelConsumer(name: string, set: { concurrency: number; batch: number }, share: number): Peer {
  return {
    name,
    settings: `Confluent Parallel Consumer, order per key, pollAndProduceMany, ${set.concurrency} calls at a time, up to ${set.batch} a call`,
    share,
    async prepare() {
      const { version, java } = await parallelConsumerProgram('ParallelConsumerWork.java');
      const properties = Object.entries({ ...set, version }).map(([property, value]) => `-D${property}=${value}`);
      return [javaCommand(), ...properties, ...java];
    },
  };
}
