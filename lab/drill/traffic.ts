// Sends orders during a drill and notes which were accepted. Used by main.ts and practice.ts.

import type { Config } from '../../contracts/config/config.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { chainMenu } from '../traffic/chain.ts';
import { createTraffic, type Traffic } from '../traffic/generator.ts';
import { createSender, pause, type Sender } from '../traffic/sender.ts';
import type { Edges } from './edges.ts';
import { DIRECT_STORES, EDGE_STORES } from './topology.ts';

/** Outages of a drill are shorter. */
const GIVE_UP_MS = 120_000;

/** Stores that are open all day, so that every order of theirs is valid. */
export function drillStores(): { edge: string[]; direct: string[] } {
  const stores = chainMenu().stores.filter(({ opens, closes }) => opens === closes);
  const ids = stores.slice(0, EDGE_STORES + DIRECT_STORES).map(({ storeId }) => storeId);
  return { edge: ids.slice(0, EDGE_STORES), direct: ids.slice(EDGE_STORES) };
}

export function drillTraffic(seed: number): Traffic {
  const { edge, direct } = drillStores();
  const taking = new Set([...edge, ...direct]);
  const menu = chainMenu();
  return createTraffic({ seed, menu: { ...menu, stores: menu.stores.filter(({ storeId }) => taking.has(storeId)) } });
}

/** Points of sale: those of some stores send through their agent, those of the others to the mesh's public name. Every answer is noted. */
export class DrillTraffic {
  /** Orders that were answered 202, by the way they went. */
  readonly promised = { edge: new Set<string>(), direct: new Set<string>() };
  readonly #traffic: Traffic;
  readonly #senders = new Map<string, Sender>();
  readonly #rate: number;
  #stop: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: { seed: number; rate: number; config: Config; edges: Edges; publicUrl: URL }) {
    const { seed, rate, config, edges, publicUrl } = options;
    this.#traffic = drillTraffic(seed);
    this.#rate = rate;
    const token = storeTokens(config);
    const senderTo = (gateway: URL, kept: Set<string>) =>
      createSender({
        gateway,
        token,
        connections: 8,
        giveUpAfterMs: GIVE_UP_MS,
        onResult({ status, orderId }) {
          if (status === 202 && orderId !== undefined) kept.add(orderId);
        },
      });
    const direct = senderTo(publicUrl, this.promised.direct);
    for (const store of [...drillStores().edge, ...drillStores().direct]) {
      const agent = edges.urlOf(store);
      this.#senders.set(store, agent === undefined ? direct : senderTo(agent, this.promised.edge));
    }
  }

  get accepted(): number {
    return this.promised.edge.size + this.promised.direct.size;
  }

  start(): void {
    const stop = new AbortController();
    this.#stop = stop;
    this.#running = this.#send(stop.signal);
  }

  /** No new orders; resolves when each order in flight has its final answer. */
  async rest(): Promise<void> {
    this.#stop?.abort();
    await this.#running;
    await Promise.all([...this.#senders.values()].map((sender) => sender.settle()));
  }

  close(): void {
    this.#stop?.abort();
    for (const sender of this.#senders.values()) sender.close();
  }

  /** An open loop: a region that is down gets no less load. */
  async #send(signal: AbortSignal): Promise<void> {
    let dueAt = performance.now();
    while (!signal.aborted) {
      const aheadMs = dueAt - performance.now();
      if (aheadMs > 1) await pause(aheadMs, signal);
      if (signal.aborted) return;
      const { body, storeId, orderId } = this.#traffic.order(Date.now());
      await this.#senders.get(storeId)?.submit({ body, storeId, orderId }, dueAt);
      dueAt += this.#traffic.wait(this.#rate);
    }
  }
}
