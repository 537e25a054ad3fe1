import type { Random } from './random.ts';

/** What happens to a message when it is worked on. */
export type Nature =
  | 'good'
  /** The actor skips it. */
  | 'skipped'
  /** Always fails, in `decode`, `prepare` or `apply`. */
  | 'poison-decode'
  | 'poison-prepare'
  | 'poison-apply'
  /** Fails this many times, then succeeds. */
  | 'flaky-prepare'
  | 'flaky-apply'
  /** Kills its thread, or never returns, in that step. */
  | 'killer-decode'
  | 'killer-prepare'
  | 'killer-apply'
  /** Has an effect, but the broker refuses one of its outputs. */
  | 'refused'
  /** Takes long. */
  | 'slow';

/** One message of the input topic, as the simulation planned it. */
export interface Order {
  /** The id of its effect. Two messages with one id are the same order, sent twice. */
  id: string;
  key: string;
  partition: number;
  nature: Nature;
  /** For flaky messages. */
  failures: number;
  /** Number of outputs. */
  outputs: number;
  offset: number;
}

/** Which steps the simulated actor has. */
export interface ActorShape {
  prepare: boolean;
  apply: boolean;
  /** Beside `prepare`: some messages need no call of the third party. */
  atOnce?: boolean;
}

/** More failures than this park a message: the first attempt and three retries. */
export const ATTEMPTS_MAX = 4;

/** The actor's step at which a message of this nature fails. */
export function failsAt(nature: Nature): 'decode' | 'prepare' | 'apply' | undefined {
  if (nature === 'poison-decode' || nature === 'killer-decode') return 'decode';
  if (nature === 'poison-prepare' || nature === 'flaky-prepare' || nature === 'killer-prepare') return 'prepare';
  if (nature === 'poison-apply' || nature === 'flaky-apply' || nature === 'killer-apply') return 'apply';
  return undefined;
}

/** Whether a dead letter of this message is right when it is the first parked message of its key. */
export function mayPark(order: Order): boolean {
  return mustPark(order) || (order.nature === 'flaky-apply' && order.failures >= ATTEMPTS_MAX);
}

export function mustPark({ nature }: Order): boolean {
  return nature.startsWith('poison') || nature.startsWith('killer') || nature === 'refused';
}

export interface OrderPlan {
  random: Random;
  shape: ActorShape;
  keys: number;
  partitions: number;
  /** Share of the messages that are not just good. */
  trouble: number;
}

/** Plans orders one after the other; offsets of a partition ascend, with gaps. */
export class OrderSource {
  readonly #plan: OrderPlan;
  readonly #ends: number[];
  readonly #past: Order[] = [];
  #made = 0;

  constructor(plan: OrderPlan) {
    this.#plan = plan;
    this.#ends = new Array<number>(plan.partitions).fill(0);
  }

  next(): Order {
    const { random, keys, partitions, trouble } = this.#plan;
    const earlier = this.#past.length > 0 && random.chance(0.05) ? random.pick(this.#past) : undefined;
    const keyNumber = random.integer(0, keys - 1);
    const partition = earlier?.partition ?? keyNumber % partitions;
    const offset = (this.#ends[partition] ?? 0) + (random.chance(0.1) ? random.integer(1, 5) : 0);
    this.#ends[partition] = offset + 1;
    const order: Order =
      earlier === undefined
        ? {
            id: `o${++this.#made}`,
            key: `k${keyNumber}`,
            partition,
            nature: random.chance(trouble) ? this.#troubled() : 'good',
            failures: random.integer(1, 6),
            outputs: random.integer(0, 2),
            offset,
          }
        : { ...earlier, offset };
    if (order.nature === 'flaky-prepare') order.failures = Math.min(order.failures, ATTEMPTS_MAX - 1);
    if (order.nature === 'refused') order.outputs = Math.max(1, order.outputs);
    this.#past.push(order);
    return order;
  }

  #killers(): Nature[] {
    const { prepare, apply } = this.#plan.shape;
    return [
      'killer-decode',
      ...(prepare ? ['killer-prepare' as const] : []),
      ...(apply ? ['killer-apply' as const] : []),
    ];
  }

  /** Only natures that the actor's steps can show. `decode` is pure, so it fails always or never. */
  #troubled(): Nature {
    const { random, shape } = this.#plan;
    const natures: Nature[] = ['skipped', 'poison-decode'];
    if (shape.prepare) natures.push('poison-prepare', 'flaky-prepare', 'slow', 'slow');
    if (shape.apply) natures.push('poison-apply', 'flaky-apply', 'flaky-apply', 'slow', 'refused');
    if (random.chance(0.3)) return random.pick(this.#killers());
    return random.pick(natures);
  }
}
