// Keeps the tickets that a page shows, from the server's messages. Created by store-page.ts and chain-page.ts.

import type { TicketState, TicketView } from '../messages.ts';

const stateRank: Record<TicketState, number> = { open: 0, cooking: 1, cooked: 2 };

/** The progress of a ticket as a number that only grows, so that a late or repeated message is recognised and ignored. */
function rank(ticket: TicketView): number {
  return ticket.round * 3 + stateRank[ticket.state];
}

/** The oldest first; the id decides between tickets of the same millisecond, so every screen shows the same order. */
export function byAge(a: TicketView, b: TicketView): number {
  return a.since - b.since || (a.orderId < b.orderId ? -1 : 1);
}

export interface TicketListLimits {
  openMax: number;
  bumpedMax: number;
  /** Which tickets are dropped when there are too many. */
  keep: 'oldest' | 'newest';
}

/** The tickets of a page: those on the board and those that were bumped lately. Bounded. */
export class TicketList {
  readonly #limits: TicketListLimits;
  readonly #open = new Map<string, TicketView>();
  /** Newest last. */
  readonly #bumped = new Map<string, TicketView>();
  #leavesOut = false;

  constructor(limits: TicketListLimits) {
    this.#limits = limits;
  }

  /** @param total open tickets, those that a capped snapshot leaves out included */
  replaceAll(open: readonly TicketView[], bumpedNewestFirst: readonly TicketView[], total: number): void {
    this.#open.clear();
    this.#bumped.clear();
    this.#leavesOut = total > open.length;
    for (const ticket of open) this.#open.set(ticket.orderId, ticket);
    for (const ticket of [...bumpedNewestFirst].reverse()) this.#bumped.set(ticket.orderId, ticket);
    this.#trim();
  }

  /** Applies changes. @returns the tickets that are new on the board, oldest first */
  apply(tickets: readonly TicketView[]): TicketView[] {
    const added: TicketView[] = [];
    for (const ticket of tickets) {
      const known = this.#open.get(ticket.orderId) ?? this.#bumped.get(ticket.orderId);
      if (known !== undefined && rank(known) >= rank(ticket)) continue;
      if (ticket.state === 'cooked') {
        this.#open.delete(ticket.orderId);
        this.#bumped.delete(ticket.orderId);
        this.#bumped.set(ticket.orderId, ticket);
      } else {
        this.#bumped.delete(ticket.orderId);
        if (!this.#open.has(ticket.orderId)) added.push(ticket);
        this.#open.set(ticket.orderId, ticket);
      }
    }
    this.#trim();
    return added.filter((ticket) => this.#open.has(ticket.orderId)).sort(byAge);
  }

  get(orderId: string): TicketView | undefined {
    return this.#open.get(orderId);
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Whether open tickets were dropped because there was no room: only a snapshot brings them back. */
  get leavesOut(): boolean {
    return this.#leavesOut;
  }

  /** Oldest first. */
  open(): TicketView[] {
    return [...this.#open.values()].sort(byAge);
  }

  /** The ticket that was bumped last comes first. */
  bumped(): TicketView[] {
    return [...this.#bumped.values()].reverse();
  }

  #trim(): void {
    const { openMax, bumpedMax, keep } = this.#limits;
    if (this.#open.size > openMax) {
      const sorted = this.open();
      const surplus = keep === 'oldest' ? sorted.slice(openMax) : sorted.slice(0, sorted.length - openMax);
      for (const { orderId } of surplus) this.#open.delete(orderId);
      this.#leavesOut = true;
    }
    for (const orderId of this.#bumped.keys()) {
      if (this.#bumped.size <= bumpedMax) break;
      this.#bumped.delete(orderId);
    }
  }
}
