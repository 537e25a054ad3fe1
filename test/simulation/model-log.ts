import type { FetchedBatch, FetchedRecord } from '../../kafka/consumer/consumer.ts';
import { KafkaUnavailableError, RecordRefusedError } from '../../kafka/errors.ts';
import type { OutgoingRecord } from '../../kafka/producer/producer.ts';
import type { History } from './history.ts';
import { Lane, Network } from './network.ts';
import type { Order } from './orders.ts';
import { bytesOf } from './tracked.ts';
import type { Body, World } from './world.ts';

export const INPUT_TOPIC = 'orders';
export const OUTPUT_TOPIC = 'events';

/** The brokers' log: the partitions of the input, and what producers append. It never loses a record. */
export class ModelLog {
  readonly network: Network;
  readonly #world: World;
  readonly #history: History;
  readonly #input: FetchedRecord[][];

  constructor(world: World, history: History, partitions: number) {
    this.#world = world;
    this.#history = history;
    this.#input = Array.from({ length: partitions }, () => []);
    this.network = new Network(world, () => new KafkaUnavailableError('the modelled broker is away'));
  }

  /** An order of a client becomes a message of the input. */
  receive(order: Order): void {
    this.#history.sent(order);
    this.#world.log('log', `input ${order.partition}/${order.offset} ${order.id} of ${order.key}: ${order.nature}`);
    this.#input[order.partition]?.push({
      offset: order.offset,
      timestamp: this.#world.now,
      key: Buffer.from(order.key),
      value: Buffer.from(bytesOf(order)),
      headers: { source: Buffer.from('simulation') },
    });
  }

  /** At most `max` records of a partition from `position` on, and the end of the partition. */
  read(partition: number, position: number, max: number): FetchedBatch {
    const all = this.#input[partition] ?? [];
    const from = all.findIndex(({ offset }) => offset >= position);
    const records = from === -1 ? [] : all.slice(from, from + max);
    return { topic: INPUT_TOPIC, partition, records, highWatermark: (all.at(-1)?.offset ?? -1) + 1 };
  }

  /** A producer of `body`. Its records arrive in order, except that a batch that it has given up may still arrive. */
  producer(body: Body): (record: OutgoingRecord, done: (error: Error | null) => void) => void {
    const lane = new Lane();
    return (record, done) =>
      this.network.send<void>(
        body,
        (answer) => {
          if (this.#refuses(record)) {
            answer.reject(new RecordRefusedError('the modelled broker takes no such record'));
            return;
          }
          this.#append(body, record);
          answer.resolve();
        },
        { resolve: () => done(null), reject: done },
        { lane, mayArriveLate: true },
      );
  }

  #refuses({ topic, value }: OutgoingRecord): boolean {
    return topic === OUTPUT_TOPIC && this.#history.refuses(...outputOf(value));
  }

  #append(body: Body, record: OutgoingRecord): void {
    if (record.topic === OUTPUT_TOPIC) {
      const [id, number] = outputOf(record.value);
      this.#world.log('log', `output ${id}#${number} from ${body.name}`);
      this.#history.output(id, number);
      return;
    }
    this.#world.log('log', `dead letter ${String(record.key)} ${String(record.value)} from ${body.name}`);
    this.#history.deadLetter(record);
  }
}

function outputOf(value: OutgoingRecord['value']): [id: string, number: number] {
  const [id = '', number] = String(value).split('#');
  return [id, Number(number)];
}
