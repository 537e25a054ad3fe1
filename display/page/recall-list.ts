import type { TicketView } from '../messages.ts';
import { ticketNumber } from './age.ts';
import { element, icon } from './dom.ts';
import { channelOf } from './ticket-card.ts';

/** The list of tickets that were bumped lately; each has a button that recalls it to the board. */
export class RecallList {
  readonly #list = element('ol', {});
  readonly #dialog: HTMLDialogElement;
  readonly #onRecall: (ticket: TicketView) => void;
  readonly #items = new Map<string, HTMLLIElement>();

  constructor(onRecall: (ticket: TicketView) => void) {
    this.#onRecall = onRecall;
    const close = element('button', { type: 'button', class: 'close' }, 'Close');
    this.#dialog = element(
      'dialog',
      { id: 'bumped', 'aria-labelledby': 'bumped-title' },
      element('header', {}, element('h2', { id: 'bumped-title' }, 'Bumped lately'), close),
      this.#list,
    );
    close.addEventListener('click', () => this.#dialog.close());
    // A tap beside the list closes it.
    this.#dialog.addEventListener('click', (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
    document.body.append(this.#dialog);
  }

  open(bumped: readonly TicketView[]): void {
    if (this.#dialog.open) return;
    this.#dialog.showModal();
    this.update(bumped);
  }

  update(bumped: readonly TicketView[]): void {
    if (!this.#dialog.open) return;
    const wanted = new Set(bumped.map(keyOf));
    for (const [key, item] of this.#items) {
      if (wanted.has(key)) continue;
      item.remove();
      this.#items.delete(key);
    }
    bumped.forEach((ticket, index) => {
      let item = this.#items.get(keyOf(ticket));
      if (item === undefined) {
        item = this.#item(ticket);
        this.#items.set(keyOf(ticket), item);
      }
      if (this.#list.children[index] !== item) this.#list.insertBefore(item, this.#list.children[index] ?? null);
    });
  }

  #item(ticket: TicketView): HTMLLIElement {
    const number = ticketNumber(ticket);
    const button = element(
      'button',
      { type: 'button', 'aria-label': `Recall ticket ${number}` },
      icon('undo'),
      'Recall',
    );
    button.addEventListener('click', () => {
      button.disabled = true;
      // Back in use if the recall fails; if it succeeds the line leaves the list.
      setTimeout(() => {
        button.disabled = false;
      }, 3_000);
      this.#onRecall(ticket);
    });
    const summary = ticket.lines.map(({ quantity, name }) => `${quantity} ${name}`).join(', ');
    return element(
      'li',
      { 'data-order': ticket.orderId },
      element('strong', {}, number),
      element('div', {}, element('span', { class: 'channel' }, channelOf(ticket).word), element('span', {}, summary)),
      button,
    );
  }
}

function keyOf({ orderId, round }: TicketView): string {
  return `${orderId}/${round}`;
}
