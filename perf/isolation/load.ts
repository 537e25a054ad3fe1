// Sends orders to the whole mesh, cooks them, and notes when each was accepted and shown. Started by main.ts.

import type { ConnectedConfig } from '../../contracts/config/config.ts';
import { eventId } from '../../contracts/events.ts';
import { gatewayOf } from '../../contracts/local-url.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { startCrew } from '../../lab/crew.ts';
import { createRandom, createSender, createTraffic, runOpenLoop, type SendReport } from '../../lab/traffic/index.ts';
import type { System } from '../../stack/system/index.ts';

/** Cooks at once: the kitchen's part ends with the ticket, and what the crew does is load like any other. */
const COOKING_MS = [300, 1_200] as const;

/** One order that became a ticket. Times in milliseconds since 1970. */
export interface ShownOrder {
  /** When its 202 was read. */
  acceptedAt: number;
  /** When the kitchen display showed its ticket first. */
  shownAt: number;
}

/** What of an order must reach the cloud, once its ticket shows that it is paid. */
export interface Outgoing {
  /** The id of its event `order.paid`. */
  eventId: string;
  shownAt: number;
  /** It earns points: a row in the ledger of the loyalty function. */
  earns: boolean;
}

export interface Load {
  /** Orders that were answered 202. */
  readonly promised: ReadonlySet<string>;
  /** Every order whose 202 and whose ticket were seen. */
  shown(): ShownOrder[];
  /** Events that the bridge publishes, of tickets that were seen so far. */
  readonly outgoing: readonly Outgoing[];
  /** Sends no new orders; resolves when every order in flight has its final answer. The crew goes on. */
  finish(): Promise<SendReport>;
  close(): void;
}

export interface LoadOptions {
  rate: number;
  seed: number;
}

/** @throws (by `finish`) what the sending failed with */
export function startLoad({ config, addresses }: System, { rate, seed }: LoadOptions): Load {
  const stop = new AbortController();
  const acceptedAt = new Map<string, number>();
  const shownAt = new Map<string, number>();
  /** Of orders that are on their way. */
  const goesOut = new Map<string, Pick<Outgoing, 'earns'>>();
  const outgoing: Outgoing[] = [];
  const crew = startCrew({
    display: new URL(addresses.find(([name]) => name === 'kitchen display')?.[1] ?? ''),
    cookingMs: COOKING_MS,
    random: createRandom(seed + 1),
    onTicket({ orderId }) {
      if (shownAt.has(orderId)) return;
      const now = Date.now();
      shownAt.set(orderId, now);
      const leaving = goesOut.get(orderId);
      if (leaving !== undefined) outgoing.push({ ...leaving, eventId: eventId(orderId, 'order.paid'), shownAt: now });
      goesOut.delete(orderId);
    },
  });
  const sender = createSender({
    gateway: gatewayOf(config),
    token: storeTokens(config),
    onResult({ status, orderId }) {
      if (status === 202 && orderId !== undefined) acceptedAt.set(orderId, Date.now());
    },
  });
  const running = runOpenLoop({
    traffic: createTraffic({ seed, realistic: true }),
    sender,
    ratePerSecond: rate,
    signal: stop.signal,
    onOrder({ orderId, order }) {
      const leaving = leavingOf(order, config);
      if (leaving !== undefined) goesOut.set(orderId, leaving);
    },
  });
  // `finish` awaits the same promise and throws a failure.
  running.catch(() => {});
  return {
    get promised() {
      return new Set(acceptedAt.keys());
    },
    shown() {
      return [...acceptedAt].flatMap(([orderId, accepted]) => {
        const shown = shownAt.get(orderId);
        return shown === undefined ? [] : [{ acceptedAt: accepted, shownAt: shown }];
      });
    },
    outgoing,
    async finish() {
      stop.abort();
      await running;
      await sender.settle();
      return sender.report();
    },
    close() {
      stop.abort();
      crew.close();
      sender.close();
    },
  };
}

/** By the rules of the bridge and of the loyalty function. */
function leavingOf(
  { total, customerId }: { total: number; customerId?: string | undefined },
  config: ConnectedConfig,
): Pick<Outgoing, 'earns'> | undefined {
  if (total < config.ORDERMESH_BRIDGE_MIN_TOTAL) return undefined;
  return { earns: customerId !== undefined && total >= config.ORDERMESH_LOYALTY_UNITS_PER_POINT };
}
