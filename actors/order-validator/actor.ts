// The order-validator actor: decides each placed order. The runtime creates it in each slot's thread.

import type { RejectionReason } from '../../contracts/events.ts';
import { orderFingerprint } from '../../contracts/order/fingerprint.ts';
import { type Order, orderSchema } from '../../contracts/order/order.ts';
import { compileValidator } from '../../contracts/validation.ts';
import type { Actor, ActorContext, Item, Message, Outputs } from '../../runtime/actor.ts';
import {
  addVelocity,
  type Catalog,
  type DecidedOrder,
  findDecisions,
  insertDecisions,
  type KnownDecision,
  lockShelves,
  menuVersion,
  type NewConflict,
  type Outage,
  purgeVelocity,
  readOutages,
  recordConflicts,
  type Shelf,
  type TurnSql,
  writeShelves,
} from '../../store/index.ts';
import { createOrderAge } from '../../telemetry/order-age.ts';
import { InvalidMessageError, parseValue } from '../invalid-message.ts';
import { decisionCounter, TurnCount } from '../metrics.ts';
import { unavailableReasons } from './availability.ts';
import { conflictReasons, isSameOrder } from './conflicts.ts';
import { Menus } from './menus.ts';
import { acceptedAt, conflictingOutputs, decisionOutputs, rejectedOutputs, validatedOutputs } from './outputs.ts';
import { type Demand, demandOf, reserve, takenOf } from './reservation.ts';
import { checkOrder } from './rules.ts';
import type { ValidatorSettings } from './settings.ts';
import { type VelocityKeys, VelocityTurn } from './velocity.ts';

/** A decoded `order.placed`. */
export interface PlacedOrder {
  order: Order;
  fingerprint: string;
  /** Milliseconds since 1970. */
  placedAtMs: number;
  /** When the gateway accepted it, in milliseconds since 1970. */
  acceptedAtMs: number;
  /** Validated for the first time in the turn that was applied last. */
  validatedNow: boolean;
}

/** An order that the rules of one turn are applied to. */
interface Draft extends PlacedOrder {
  message: Message;
  reasons: RejectionReason[];
  velocity: VelocityKeys;
  /** Absent while there is a reason to reject. */
  demand?: Demand;
}

/** Counters that were not used for one window and this long are removed. */
const VELOCITY_KEPT_S = 3_600;
const PURGE_INTERVAL_MS = 2_000;
const PURGE_ROWS_MAX = 10_000;

interface Decided {
  outputs: Outputs;
  decision: 'validated' | 'rejected';
  /** Code of the first reason; empty if there is none. */
  reason: string;
}

/** What the stores offered when the orders of a turn were placed. */
interface OfferedThen {
  catalogOf: (order: PlacedOrder) => Catalog;
  outages: ReadonlyMap<string, readonly Outage[]>;
}

const validateOrder = compileValidator(orderSchema);

/** Decides each order once: `order.validated` with its stock reserved, or `order.rejected` with the reasons. */
export function createActor({
  settings,
  registry,
}: Pick<ActorContext<ValidatorSettings>, 'settings' | 'registry'>): Actor<PlacedOrder> {
  const decisionsTotal = decisionCounter(registry);
  const orderAge = createOrderAge(registry, 'validated');
  const menus = new Menus(settings.menuWindowMs);
  let purgedAtMs = 0;

  /** Old counters are removed in small numbers, in turns that bring new ones. */
  const purge = async (sql: TurnSql): Promise<void> => {
    const nowMs = Date.now();
    if (nowMs - purgedAtMs < PURGE_INTERVAL_MS) return;
    purgedAtMs = nowMs;
    await purgeVelocity(sql, settings.windowSeconds + VELOCITY_KEPT_S, PURGE_ROWS_MAX);
  };

  return {
    decode: decodeOrder,

    async apply(items, sql) {
      const orderIds = items.map((item) => item.input.order.orderId);
      const stores = new Set(items.map((item) => item.input.order.storeId));
      const [decisions, version, outages] = await Promise.all([
        findDecisions(sql, orderIds),
        menuVersion(sql),
        readOutages(sql, stores, Math.min(...items.map((item) => item.input.placedAtMs))),
      ]);
      const fresh: Item<PlacedOrder, undefined>[] = [];
      const conflicting: (Item<PlacedOrder, undefined> & { first: KnownDecision })[] = [];
      const repeated = items.map((item): Outputs | undefined => {
        const { order, fingerprint } = item.input;
        const first = decisions.get(order.orderId);
        item.input.validatedNow = false;
        if (first === undefined) fresh.push(item);
        else if (isSameOrder(first, order, fingerprint)) return decisionOutputs(order, first, item.message);
        else conflicting.push({ ...item, first });
        return undefined;
      });
      const [decided, conflicts] = await Promise.all([
        fresh.length === 0
          ? []
          : decideOrders(fresh, { catalogOf: await menus.of(fresh, version, sql), outages }, settings, sql),
        recordConflicts(sql, new Date(), conflicting.map(newConflict)),
      ]);
      await purge(sql);
      const counted = new TurnCount(decisionsTotal);
      for (const [index, { input }] of fresh.entries()) {
        const { decision = 'rejected', reason = '' } = decided[index] ?? {};
        counted.add(decision, reason);
        input.validatedNow = decision === 'validated';
      }
      const told = new Map<string, Outputs>();
      for (const { input, message, first } of conflicting) {
        const { orderId } = input.order;
        const conflict = conflicts.get(orderId);
        if (conflict === undefined) throw new Error(`the conflict of ${orderId} was not stored`);
        if (conflict.isNew) counted.add('conflicting', conflict.reasons[0]?.code ?? '');
        told.set(orderId, conflictingOutputs(input, first, conflict, message));
      }
      counted.done();
      let next = 0;
      return repeated.map(
        (outputs, index) => outputs ?? told.get(orderIds[index] ?? '') ?? decided[next++]?.outputs ?? [],
      );
    },

    completed({ validatedNow, acceptedAtMs }) {
      if (validatedNow) orderAge(acceptedAtMs);
    },
  };
}

function newConflict({ input, message, first }: Item<PlacedOrder, undefined> & { first: KnownDecision }): NewConflict {
  const { order, fingerprint, acceptedAtMs } = input;
  const { topic, partition, offset } = message;
  const { orderId, storeId } = order;
  const reasons = conflictReasons(first, order);
  return { orderId, storeId, fingerprint, reasons, acceptedAtMs, topic, partition, offset };
}

/** @throws InvalidMessageError when the record is not an order, with the reason in words for the dead letter */
export function decodeOrder(message: Message): PlacedOrder {
  const checked = validateOrder(parseValue(message.value, 'invalid-order'));
  if (!checked.ok) {
    const faults = checked.errors.map(({ pointer, detail }) => `${pointer} ${detail}`);
    throw new InvalidMessageError('invalid-order', `not an order: ${faults.join('; ')}`);
  }
  const order = checked.value;
  if (order.orderId !== message.key)
    throw new InvalidMessageError('invalid-order', `orderId ${order.orderId} is not the key ${message.key}`);
  const placedAtMs = Date.parse(order.placedAt);
  if (Number.isNaN(placedAtMs))
    throw new InvalidMessageError('invalid-order', `placedAt ${order.placedAt} is not a moment in time`);
  return {
    order,
    fingerprint: orderFingerprint(order),
    placedAtMs,
    acceptedAtMs: acceptedAt(message),
    validatedNow: false,
  };
}

/** Decides orders without a decision, in the order of the log, and stores the decisions with their effects. */
async function decideOrders(
  fresh: readonly Item<PlacedOrder, undefined>[],
  { catalogOf, outages }: OfferedThen,
  settings: ValidatorSettings,
  sql: TurnSql,
): Promise<Decided[]> {
  const decidedAt = new Date();
  const occurredAt = decidedAt.toISOString();
  const turn = new VelocityTurn(settings);
  const drafts = fresh.map(({ input, message }): Draft => {
    const catalog = catalogOf(input);
    const reasons = checkOrder(input.order, input.placedAtMs, catalog, settings);
    reasons.push(...unavailableReasons(input.order, input.placedAtMs, outages.get(input.order.storeId)));
    const velocity = turn.add(input.order, input.placedAtMs);
    const demand = reasons.length === 0 ? { demand: demandOf(input.order, catalog) } : {};
    return { ...input, message, reasons, velocity, ...demand };
  });
  // Nearly every order is validated. Making the events here keeps this work out of the time in which rows are locked.
  const validated = drafts.map((draft) =>
    draft.demand === undefined ? [] : validatedOutputs(draft.order, occurredAt, draft.message, draft.acceptedAtMs),
  );
  const stores = new Set(drafts.flatMap((draft) => (draft.demand === undefined ? [] : [draft.order.storeId])));
  // Counters first, then shelves, each in a fixed order: turns of other threads may wait, but never for each other.
  const [counts, shelves] = await Promise.all([addVelocity(sql, turn.counts, turn.limit), lockShelves(sql, stores)]);
  const judge = turn.judge(counts);
  const changed = new Map<string, Shelf>();
  for (const draft of drafts) {
    draft.reasons.push(...judge(draft.velocity));
    if (draft.reasons.length > 0 || draft.demand === undefined) continue;
    const shelf = shelves.get(draft.order.storeId);
    if (shelf === undefined) throw new Error(`store ${draft.order.storeId} has no stock`);
    draft.reasons = reserve(draft.demand, shelf);
    if (draft.reasons.length === 0) changed.set(draft.order.storeId, shelf);
  }
  await Promise.all([insertDecisions(sql, decidedAt, drafts.map(decidedOrder)), writeShelves(sql, changed)]);
  return drafts.map((draft, index): Decided => {
    const [reason] = draft.reasons;
    if (reason === undefined) return { outputs: validated[index] ?? [], decision: 'validated', reason: '' };
    const outputs = rejectedOutputs(draft.order, occurredAt, draft.reasons, draft.message, draft.acceptedAtMs);
    return { outputs, decision: 'rejected', reason: reason.code };
  });
}

function decidedOrder({
  order,
  fingerprint,
  placedAtMs,
  acceptedAtMs,
  reasons,
  demand,
}: Draft): Omit<DecidedOrder, 'decidedAt'> {
  return {
    orderId: order.orderId,
    storeId: order.storeId,
    total: order.total,
    currency: order.currency,
    fingerprint,
    placedAtMs,
    acceptedAtMs,
    ...(reasons.length === 0 && demand !== undefined
      ? { pieces: demand.pieces, taken: takenOf(demand) }
      : { pieces: 0, reasons }),
  };
}
