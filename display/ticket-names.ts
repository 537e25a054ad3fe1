// Makes the tickets that screens show, with names from the menu. Used by ticket-board.ts and by the kitchen of the edge agent.

import type { OrderModifier } from '../contracts/order/item.ts';
import { validateTicketItems } from '../contracts/order/ticket-content.ts';
import type { MenuNames, Ticket } from '../store/index.ts';
import type { TicketLine, TicketModifier, TicketView } from './messages.ts';

type ShownTicket = Pick<Ticket, 'orderId' | 'storeId' | 'channel' | 'items' | 'state' | 'round' | 'paidAt'> &
  Partial<Pick<Ticket, 'number' | 'guest' | 'fulfilment'>>;

/** The text on the card of a ticket whose content cannot be shown. */
const cannotBeShown = 'This ticket cannot be shown: ask the counter';
/** Damaged tickets that are remembered, so that each is reported once. */
const DAMAGED_MAX = 1_000;

/** Turns tickets into text for a crew: names from the menu, and removed and added ingredients apart. */
export class TicketNames {
  readonly #onDamaged: (orderId: string, reason: string) => void;
  readonly #damaged = new Set<string>();
  #names: MenuNames = { items: new Map(), modifiers: new Map(), stores: new Map() };

  /** @param onDamaged called once for each ticket whose content cannot be shown */
  constructor(onDamaged: (orderId: string, reason: string) => void = () => {}) {
    this.#onDamaged = onDamaged;
  }

  replace(names: MenuNames): void {
    this.#names = names;
  }

  get stores(): ReadonlyMap<string, string> {
    return this.#names.stores;
  }

  /** Never throws: the card of a damaged ticket says so, and the other tickets of the same read are shown. */
  view(ticket: ShownTicket): TicketView {
    return {
      orderId: ticket.orderId,
      storeId: ticket.storeId,
      channel: ticket.channel,
      ...serviceOf(ticket),
      state: ticket.state,
      round: ticket.round,
      since: new Date(ticket.paidAt).getTime(),
      lines: this.#lines(ticket),
    };
  }

  #lines({ orderId, items }: ShownTicket): TicketLine[] {
    const content = validateTicketItems(items);
    if (content.ok) return items.map((item) => this.#line(item));
    if (!this.#damaged.has(orderId)) {
      if (this.#damaged.size >= DAMAGED_MAX) this.#damaged.clear();
      this.#damaged.add(orderId);
      this.#onDamaged(orderId, content.errors.map(({ pointer, detail }) => `items${pointer} ${detail}`).join('; '));
    }
    return [{ name: cannotBeShown, quantity: 1, modifiers: [] }];
  }

  #line(item: Ticket['items'][number]): TicketLine {
    const line: TicketLine = {
      name: this.#names.items.get(item.sku) ?? wordsOf(item.sku),
      quantity: item.quantity,
      modifiers: this.#modifiers(item.modifiers),
    };
    if (item.parts !== undefined && item.parts.length > 0)
      line.parts = item.parts.map(({ sku, quantity, modifiers }) => ({
        name: this.#names.items.get(sku) ?? wordsOf(sku),
        quantity,
        modifiers: this.#modifiers(modifiers),
      }));
    if (item.allergies !== undefined && item.allergies.length > 0) line.allergies = item.allergies;
    if (item.note !== undefined) line.note = item.note;
    return line;
  }

  #modifiers(modifiers: OrderModifier[] = []): TicketModifier[] {
    return modifiers.map((modifier) => this.#modifier(modifier));
  }

  #modifier({ sku, quantity }: { sku: string; quantity?: number }): TicketModifier {
    const name = this.#names.modifiers.get(sku) ?? wordsOf(sku);
    return {
      // The page writes a plus before what is added.
      name: capitalised(name.replace(/^add /i, '')),
      quantity: quantity ?? 1,
      kind: /^(no|without|hold)[ -]/i.test(name) ? 'remove' : 'add',
    };
  }
}

function serviceOf({ number, guest, fulfilment }: ShownTicket): Partial<TicketView> {
  const service: Partial<TicketView> = {};
  if (number) service.number = number;
  if (guest) service.guest = guest;
  if (!fulfilment) return service;
  service.fulfilment = fulfilment.type;
  if (fulfilment.table !== undefined) service.table = fulfilment.table;
  if (fulfilment.promisedAt !== undefined) service.promisedAt = Date.parse(fulfilment.promisedAt);
  return service;
}

/** Makes a name of a SKU that is no longer on the menu. */
function wordsOf(sku: string): string {
  return capitalised(sku.replaceAll('-', ' '));
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
