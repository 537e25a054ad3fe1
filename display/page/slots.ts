// The places of tickets on the board, and of cards in its columns. Used by board.ts.

import type { TicketView } from '../messages.ts';
import { byAge } from './ticket-list.ts';

/** An empty place stays for this long after its ticket left. */
const HOLD_MS = 2_500;
/** The same while tickets wait beyond the edge of the screen. */
const HOLD_CROWDED_MS = 800;

/** A place on the board. It stays empty for a moment after its ticket left, so that no card moves under a hand. */
export interface Slot {
  ticket: TicketView;
  /** When the ticket left; `undefined` while it is here. */
  leftAt: number | undefined;
}

/**
 * Gives every ticket a place that it keeps while other tickets come and go. Only `closeUp` removes the places of tickets that left; the page calls
 * it when no hand is at the board.
 */
export class Slots {
  #slots: Slot[] = [];

  get all(): readonly Slot[] {
    return this.#slots;
  }

  /** The tickets that are here, in the order of their places: position 1 is the first of these. */
  get occupied(): Slot[] {
    return this.#slots.filter(({ leftAt }) => leftAt === undefined);
  }

  /** The places up to that of the last of `tickets` tickets. Empty places do not count, because they close up soon. */
  first(tickets: number): Slot[] {
    const last = this.occupied[tickets - 1];
    return last === undefined ? [...this.#slots] : this.#slots.slice(0, this.#slots.indexOf(last) + 1);
  }

  /** Brings the places up to date with the open tickets, given oldest first. */
  update(open: readonly TicketView[], now: number): void {
    const current = new Map(open.map((ticket) => [ticket.orderId, ticket]));
    for (const slot of this.#slots) {
      const ticket = current.get(slot.ticket.orderId);
      if (ticket === undefined) slot.leftAt ??= now;
      else {
        slot.ticket = ticket;
        slot.leftAt = undefined;
        current.delete(ticket.orderId);
      }
    }
    for (const ticket of current.values()) this.#insert(ticket);
  }

  /** Drops places that have been empty for long enough. Returns whether any was. */
  closeUp(now: number, crowded: boolean): boolean {
    const holdMs = crowded ? HOLD_CROWDED_MS : HOLD_MS;
    const kept = this.#slots.filter(({ leftAt }) => leftAt === undefined || now - leftAt < holdMs);
    const changed = kept.length !== this.#slots.length;
    this.#slots = kept;
    return changed;
  }

  /** The index before the first younger ticket; nearly always the end. */
  #insert(ticket: TicketView): void {
    let index = this.#slots.length;
    while (index > 0) {
      const before = this.#slots[index - 1];
      if (before === undefined || byAge(before.ticket, ticket) < 0) break;
      index--;
    }
    this.#slots.splice(index, 0, { ticket, leftAt: undefined });
  }
}

export interface Place {
  column: number;
  row: number;
  /** The number of rows that the card covers. */
  span: number;
}

/**
 * Places cards top to bottom, then column by column to the right: the left edge is always the oldest. A card never starts in one
 * column and goes on in the next; the last card of a full column reaches down to its end, so that columns end alike.
 */
export function arrange(spans: readonly number[], rows: number): Place[] {
  const places: Place[] = [];
  let column = 0;
  let row = 0;
  for (const wanted of spans) {
    const span = Math.min(wanted, rows);
    if (row + span > rows) {
      const last = places.at(-1);
      if (last !== undefined) last.span = rows - last.row;
      column++;
      row = 0;
    }
    places.push({ column, row, span });
    row += span;
  }
  return places;
}
