// The restaurant's own board, in memory. Created by kitchen.ts.

import type { Order } from '../../contracts/order/order.ts';
import type { Command, TicketView } from '../../display/index.ts';
import { type Entry, ticketOf, undelivered, viewOf } from './entry.ts';

export interface BoardOptions {
  /** Whether the store may cook this order before the region has confirmed it. */
  mayCook(order: Order): boolean;
  /** How long an order waits for its ticket of the region, and the line must be down, before it is shown without one. */
  patienceMs: number;
  /** Milliseconds that only go forward. */
  now(): number;
}

/** The changes of one step: for the screens, for the disk, and for the region. */
export interface Changes {
  shown: TicketView[];
  kept: Entry[];
  dropped: string[];
  /** Commands of the crew that the region is to be told. */
  commands: Omit<Command, 'id'>[];
}

/** This many bumped tickets can be taken back. */
const BUMPED_MAX = 20;
/** This many orders may wait for their ticket; with the line up a ticket comes within a second. */
const WAITING_MAX = 5_000;

/**
 * The tickets of one store: those of the region, and, while the line is down, those of orders that only the restaurant knows. An order is one entry,
 * whichever source reports it, so it is on the board once. What the crew did while the line was down is sent to the region as soon as the region has the
 * ticket, so the order is cooked once.
 */
export class Board {
  readonly #options: BoardOptions;
  readonly #entries = new Map<string, Entry>();
  /** Orders accepted by this agent that no screen has shown yet. */
  readonly #waiting = new Map<string, { order: Order; acceptedAt: number; since: number }>();
  #bumped: TicketView[] = [];
  /** Whether the region's tickets are visible, and whether orders get to the region. */
  #seesTickets = false;
  #forwards = true;
  #downSince: number | undefined;
  /** Commands that were sent and not answered, by order. The region's next message about the ticket is the answer. */
  readonly #told = new Set<string>();

  constructor(options: BoardOptions, entries: readonly Entry[] = []) {
    this.#options = options;
    for (const entry of entries) this.#entries.set(entry.orderId, entry);
    this.#downSince = options.now();
  }

  /** Open tickets, oldest first. */
  get open(): TicketView[] {
    return [...this.#entries.values()]
      .flatMap((entry) => viewOf(entry) ?? [])
      .filter(({ state }) => state !== 'cooked')
      .sort((a, b) => a.since - b.since);
  }

  /** Newest first. */
  get bumped(): TicketView[] {
    return this.#bumped;
  }

  get isLineDown(): boolean {
    return this.#downSince !== undefined;
  }

  get seesTickets(): boolean {
    return this.#seesTickets;
  }

  /** Orders that the region should be asked about: it has them, or soon will, and shows no ticket. */
  get unexplained(): string[] {
    const { now, patienceMs } = this.#options;
    const waiting = [...this.#waiting].flatMap(([orderId, { since }]) => (now() - since > patienceMs ? [orderId] : []));
    const local = [...this.#entries.values()].filter(({ region, refused }) => region === undefined && !refused);
    return [...local.map(({ orderId }) => orderId), ...waiting];
  }

  /** An order was taken here. */
  taken(order: Order, acceptedAt: number): void {
    if (this.#entries.has(order.orderId) || !this.#options.mayCook(order)) return;
    this.#waiting.set(order.orderId, { order, acceptedAt, since: this.#options.now() });
    if (this.#waiting.size <= WAITING_MAX) return;
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined) this.#waiting.delete(oldest);
  }

  /** The region's tickets became visible or invisible. */
  sees(tickets: boolean): void {
    this.#seesTickets = tickets;
    this.#told.clear();
    this.#judgeLine();
  }

  /** While the line is down, shows orders that have waited long enough. Repeats commands that the region has not got. */
  tick(forwards: boolean): Changes {
    const changes = noChanges();
    const { now, patienceMs } = this.#options;
    this.#forwards = forwards;
    this.#judgeLine();
    if (this.#seesTickets) for (const entry of this.#entries.values()) this.#tell(entry, changes);
    if (this.#downSince === undefined || now() - this.#downSince < patienceMs) return changes;
    for (const [orderId, { order, acceptedAt, since }] of this.#waiting) {
      if (now() - since < patienceMs) continue;
      this.#waiting.delete(orderId);
      this.#put({ orderId, local: ticketOf(order, acceptedAt) }, changes);
    }
    return changes;
  }

  /** A snapshot of the region's tickets; it may be capped. */
  snapshot(tickets: readonly TicketView[], bumped: readonly TicketView[], isWhole: boolean): Changes {
    this.sees(true);
    const changes = noChanges();
    const shown = new Set(tickets.map(({ orderId }) => orderId));
    if (isWhole)
      // Another screen was faster, and the region's message has not come yet.
      for (const { orderId, region } of [...this.#entries.values()])
        if (region !== undefined && !shown.has(orderId)) this.#leave({ ...region, state: 'cooked' }, changes);
    // The ticket that was bumped last comes first.
    for (const ticket of [...bumped.toReversed(), ...tickets]) this.#see(ticket, changes);
    return changes;
  }

  /** New or changed tickets of the region. */
  changed(tickets: readonly TicketView[]): Changes {
    const changes = noChanges();
    for (const ticket of tickets) this.#see(ticket, changes);
    return changes;
  }

  /** The region has decided on an order without a ticket: `refused`, or `over` when nothing is to be cooked any more. */
  decided(orderId: string, fate: 'refused' | 'over'): Changes {
    const changes = noChanges();
    this.#waiting.delete(orderId);
    const entry = this.#entries.get(orderId);
    const view = entry === undefined ? undefined : viewOf(entry);
    if (entry === undefined || view === undefined || entry.region !== undefined) return changes;
    if (fate === 'refused' && view.state !== 'cooked') this.#put({ ...entry, refused: true }, changes);
    else this.#leave({ ...view, state: 'cooked' }, changes);
    return changes;
  }

  /** The crew starts or bumps a ticket. @returns `undefined` when there is no such ticket in this round. */
  act({ type, orderId, round }: Omit<Command, 'id'>): Changes | undefined {
    const entry = this.#entries.get(orderId);
    const view = entry === undefined ? undefined : viewOf(entry);
    if (entry === undefined || view === undefined || view.round !== round) return undefined;
    const changes = noChanges();
    if (type === 'recall') {
      // A command that the region has not got can simply be dropped.
      if (view.state !== 'cooked' || this.#told.has(orderId)) return undefined;
      const { done: _, ...undone } = entry;
      this.#bumped = this.#bumped.filter((ticket) => ticket.orderId !== orderId);
      this.#put(undone, changes);
      return changes;
    }
    const state = type === 'bump' ? 'cooked' : 'cooking';
    if (entry.refused && state === 'cooked') {
      this.#leave({ ...view, state }, changes);
      return changes;
    }
    if (view.state === 'cooked' || view.state === state) return view.state === state ? changes : undefined;
    this.#put({ ...entry, done: { state, round } }, changes);
    if (state === 'cooked') this.#remember({ ...view, state });
    return changes;
  }

  /** The region did not carry out the command: its own state of the ticket counts. */
  declined(orderId: string): Changes {
    const changes = noChanges();
    const entry = this.#entries.get(orderId);
    if (entry?.region === undefined) return changes;
    const { done: _, ...undone } = entry;
    this.#put(undone, changes);
    return changes;
  }

  #judgeLine(): void {
    if (this.#seesTickets && this.#forwards) this.#downSince = undefined;
    else this.#downSince ??= this.#options.now();
  }

  #see(ticket: TicketView, changes: Changes): void {
    const { orderId } = ticket;
    this.#waiting.delete(orderId);
    this.#told.delete(orderId);
    const entry = this.#entries.get(orderId);
    if (ticket.state === 'cooked') {
      this.#leave(ticket, changes);
      return;
    }
    // A recall begins a new round, in which the crew has done nothing yet.
    const done = entry?.done?.round === ticket.round ? { done: entry.done } : {};
    this.#put({ orderId, region: ticket, ...done }, changes);
  }

  #put(entry: Entry, changes: Changes): void {
    this.#entries.set(entry.orderId, entry);
    changes.kept.push(entry);
    const view = viewOf(entry);
    if (view !== undefined) changes.shown.push(view);
    if (this.#seesTickets) this.#tell(entry, changes);
  }

  #leave(ticket: TicketView, changes: Changes): void {
    if (this.#entries.delete(ticket.orderId)) changes.dropped.push(ticket.orderId);
    this.#remember(ticket);
    changes.shown.push(ticket);
  }

  #remember(ticket: TicketView): void {
    const others = this.#bumped.filter(({ orderId }) => orderId !== ticket.orderId);
    this.#bumped = [ticket, ...others].slice(0, BUMPED_MAX);
  }

  #tell(entry: Entry, changes: Changes): void {
    const type = undelivered(entry);
    if (type === undefined || this.#told.has(entry.orderId) || entry.region === undefined) return;
    this.#told.add(entry.orderId);
    changes.commands.push({ type, orderId: entry.orderId, round: entry.region.round });
  }
}

export function noChanges(): Changes {
  return { shown: [], kept: [], dropped: [], commands: [] };
}

/** Both as one set of changes; for each order the later change counts. */
export function joined(earlier: Changes, later: Changes): Changes {
  const kept = new Set([...later.kept.map(({ orderId }) => orderId), ...later.dropped]);
  return {
    shown: [...without(earlier.shown, later.shown), ...later.shown],
    kept: [...earlier.kept.filter(({ orderId }) => !kept.has(orderId)), ...later.kept],
    dropped: [...earlier.dropped.filter((orderId) => !kept.has(orderId)), ...later.dropped],
    commands: [...without(earlier.commands, later.commands), ...later.commands],
  };
}

function without<T extends { orderId: string }>(list: readonly T[], others: readonly T[]): T[] {
  const orderIds = new Set(others.map(({ orderId }) => orderId));
  return list.filter(({ orderId }) => !orderIds.has(orderId));
}
