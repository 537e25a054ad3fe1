import type { OutgoingRecord } from '../../kafka/producer/producer.ts';
import { type Actor, type Item, type Message, OutageError, skip } from '../../runtime/actor.ts';
import type { MessageEntry } from '../../runtime/slot/message-entry.ts';
import type { TurnSql } from '../../store/database/database.ts';
import type { History } from './history.ts';
import { OUTPUT_TOPIC } from './model-log.ts';
import type { ModelSession, ModelStore } from './model-store.ts';
import type { Network } from './network.ts';
import { type ActorShape, failsAt } from './orders.ts';
import { bytesOf, type Tracked } from './tracked.ts';
import type { Body } from './world.ts';

const SLOW_MS_MAX = 4_000;
const PREPARE_MS_MAX = 20;

export interface ActorWorld {
  history: History;
  store: ModelStore;
  /** A third party that `prepare` calls. */
  provider: Network;
  shape: ActorShape;
  /** Failures left for flaky orders, by id. */
  failuresLeft: Map<string, number>;
  preparesMax: number;
  /** The thread dies of its computation. */
  die(): void;
}

/** An actor that follows the rules: `decode` is pure, decisions are stored with their order, and a redelivery repeats its outputs. */
export function modelActor(body: Body, world: ActorWorld): Actor<unknown, unknown> {
  const { history, shape } = world;
  const actor: Actor<unknown, unknown> = {
    decode(message) {
      if (!body.alive) throw new Error('the thread is dead');
      const tracked = trackedOf(history, message);
      history.began(tracked, world.store.isCurrent(message as MessageEntry));
      body.world.log(body.name, `begins ${tracked.order.id} at ${message.partition}/${message.offset}`);
      if (failsAt(tracked.order.nature) === 'decode' && !history.isCured(tracked.order.id)) {
        if (kills(world, tracked, 'decode')) world.die();
        throw new SyntaxError('poison');
      }
      history.decoded(tracked);
      return tracked.order.nature === 'skipped' ? skip : tracked;
    },
  };
  if (shape.prepare) actor.prepare = preparation(body, world);
  if (shape.atOnce === true)
    actor.prepareAtOnce = (input) => {
      const tracked = input as Tracked;
      if (tracked.order.nature !== 'good' || !/[02468]$/.test(tracked.order.id)) return undefined;
      history.prepared(tracked);
      return tracked.order.id;
    };
  if (shape.apply) actor.apply = (items, transaction) => application(body, world, items, transaction);
  return actor;
}

function trackedOf(history: History, message: Message): Tracked {
  const tracked = history.at(message.partition, message.offset);
  const { order } = tracked;
  if (
    message.key !== order.key ||
    (String(message.value) !== bytesOf(order) && String(message.value) !== tracked.edited) ||
    String(message.headers.source) !== 'simulation'
  )
    history.violate('bytes stay as they are', `${message.partition}/${message.offset} reads ${String(message.value)}`);
  return tracked;
}

function fails(world: ActorWorld, { order }: Tracked, step: 'prepare' | 'apply'): boolean {
  if (failsAt(order.nature) !== step || world.history.isCured(order.id)) return false;
  if (order.nature.startsWith('poison')) return true;
  const left = world.failuresLeft.get(order.id) ?? order.failures;
  world.failuresLeft.set(order.id, left - 1);
  return left > 0;
}

function kills({ history }: ActorWorld, { order }: Tracked, step: 'decode' | 'prepare' | 'apply'): boolean {
  return order.nature.startsWith('killer') && failsAt(order.nature) === step && !history.isCured(order.id);
}

/** The promise that a dead thread waits for. */
function never<T>(): Promise<T> {
  return new Promise(() => {});
}

function preparation(body: Body, world: ActorWorld): NonNullable<Actor<unknown, unknown>['prepare']> {
  let inFlight = 0;
  return async (input) => {
    const tracked = input as Tracked;
    if (kills(world, tracked, 'prepare')) {
      world.die();
      return never();
    }
    if (++inFlight > world.preparesMax)
      world.history.violate('every queue is bounded', `${inFlight} prepares at a time`);
    try {
      await sleep(body, tracked.order.nature === 'slow' ? SLOW_MS_MAX : PREPARE_MS_MAX);
      await world.provider
        .call<void>(body, ({ resolve }) => resolve())
        .catch((error) => {
          throw new OutageError('the provider is away', { cause: error });
        });
      if (fails(world, tracked, 'prepare')) throw new RangeError(`${tracked.order.nature} in prepare`);
      world.history.prepared(tracked);
      body.world.log(body.name, `prepared ${tracked.order.id}`);
      return tracked.order.id;
    } finally {
      inFlight--;
    }
  };
}

async function application(
  body: Body,
  world: ActorWorld,
  items: readonly Item<unknown, unknown>[],
  transaction: TurnSql,
) {
  const { store, history, shape } = world;
  const session = transaction as unknown as ModelSession;
  const all = items.map(({ input }) => input as Tracked);
  if (all.some((tracked) => kills(world, tracked, 'apply'))) {
    world.die();
    return never<OutgoingRecord[][]>();
  }
  if (new Set(all.map(({ order }) => order.key)).size !== all.length)
    history.violate('per key serial', 'two messages of a key in one turn');
  if (!shape.prepare && all.some(({ order }) => order.nature === 'slow')) await sleep(body, SLOW_MS_MAX);
  const decided = await store.statement(
    body,
    session,
    () => new Set(all.filter(({ order }) => history.hasEffect(order.id))),
  );
  for (const [index, tracked] of all.entries()) {
    if (shape.prepare && items[index]?.prepared !== tracked.order.id)
      history.violate('apply gets what prepare brought', `${tracked.order.id} got ${String(items[index]?.prepared)}`);
    if (!decided.has(tracked) && fails(world, tracked, 'apply'))
      throw new RangeError(`${tracked.order.nature} in apply`);
  }
  await store.statement(body, session, () => {
    session.effects.push(...all.filter((tracked) => !decided.has(tracked)));
  });
  return all.map(({ order }) =>
    Array.from({ length: order.outputs }, (_, number) => ({
      topic: OUTPUT_TOPIC,
      key: order.key,
      value: `${order.id}#${number}`,
    })),
  );
}

function sleep(body: Body, mostMs: number): Promise<void> {
  return new Promise((resolve) => body.after(body.world.random.next() * mostMs, resolve));
}
