// Judges what a competitor has written. Called by perf/benches/peers.ts.

import { plainCluster } from '../../../contracts/config/kafka-cluster.ts';
import { readTopic } from '../../../kafka/index.ts';
import type { Decision, Work } from './work.ts';

const FAULTS_SHOWN = 5;

/** Takes the records of `to`, of each partition in order, and finds lost, repeated, overtaken and wrong ones. */
export class Judge {
  readonly #work: Pick<Work, 'records' | 'totalLimit'>;
  readonly #lastOf = new Map<string, number>();
  readonly #faults: string[] = [];
  #count = 0;

  constructor(work: Pick<Work, 'records' | 'totalLimit'>) {
    this.#work = work;
  }

  take(key: string, { orderId, sequence, total, decision }: Decision): void {
    this.#count++;
    const last = this.#lastOf.get(key) ?? 0;
    if (orderId !== key) this.#faults.push(`the decision about ${orderId} has the key ${key}`);
    if (sequence !== last + 1) this.#faults.push(`${key}: event ${sequence} follows event ${last}`);
    if ((decision === 'accepted') !== total < this.#work.totalLimit)
      this.#faults.push(`${key}: ${decision} with a total of ${total}`);
    this.#lastOf.set(key, sequence);
  }

  /** @throws an error with the first faults, if there are any */
  end(): void {
    const { records } = this.#work;
    if (this.#count !== records) this.#faults.unshift(`${this.#count} decisions about ${records} events`);
    if (this.#faults.length === 0) return;
    throw new Error(`${this.#faults.length} faults: ${this.#faults.slice(0, FAULTS_SHOWN).join('; ')}`);
  }
}

/** @throws an error when `to` does not have exactly one right decision about each event, in the order of each key */
export async function judgeOutput(work: Work): Promise<void> {
  const judge = new Judge(work);
  const cluster = plainCluster(work.brokers.split(','));
  await readTopic({ cluster, topic: work.to, clientId: 'judge-same-work' }, ({ key, value }) =>
    judge.take(String(key), JSON.parse(String(value)) as Decision),
  );
  judge.end();
}
