import type { MenuNames } from '../store/menu-names.ts';
import type { Ticket } from '../store/ticket-board.ts';
import type { TicketLine, TicketModifier, TicketView } from './messages.ts';

type ShownTicket = Pick<Ticket, 'orderId' | 'storeId' | 'channel' | 'items' | 'state' | 'round' | 'paidAt'>;

/** Turns tickets into what a crew reads: names from the menu, and what is left out told apart from what is added. */
export class TicketNames {
  #names: MenuNames = { items: new Map(), modifiers: new Map(), stores: new Map() };

  replace(names: MenuNames): void {
    this.#names = names;
  }

  get stores(): ReadonlyMap<string, string> {
    return this.#names.stores;
  }

  view(ticket: ShownTicket): TicketView {
    return {
      orderId: ticket.orderId,
      storeId: ticket.storeId,
      channel: ticket.channel,
      state: ticket.state,
      round: ticket.round,
      since: new Date(ticket.paidAt).getTime(),
      lines: ticket.items.map((item) => this.#line(item)),
    };
  }

  #line(item: Ticket['items'][number]): TicketLine {
    const line: TicketLine = {
      name: this.#names.items.get(item.sku) ?? wordsOf(item.sku),
      quantity: item.quantity,
      modifiers: (item.modifiers ?? []).map((modifier) => this.#modifier(modifier)),
    };
    if (item.note !== undefined) line.note = item.note;
    return line;
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

/** A SKU that is no longer on the menu still reads as words. */
function wordsOf(sku: string): string {
  return capitalised(sku.replaceAll('-', ' '));
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
