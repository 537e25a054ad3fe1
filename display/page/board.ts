// The board of one store: lays its tickets out as cards. Created by store-page.ts.

import type { PageSettings, TicketView } from '../messages.ts';
import { element } from './dom.ts';
import { arrange, type Place, type Slot, Slots } from './slots.ts';
import { type CardOptions, TicketCard } from './ticket-card.ts';

/** At most this many tickets have a card; the page shows only the number of the others. A crew works on the oldest few. */
const DRAWN_MAX = 40;
/** For this long after a card has moved, it takes no command: the finger may have aimed at another card. */
const SETTLE_MS = 450;
/**
 * Cards glide to a new place only when nothing has changed for this long. On a calm board motion shows where a ticket went. On a busy board it
 * would only distract, and keep the screen's processor busy.
 */
const CALM_MS = 500;
const CARD_WIDTH_MIN = 290;
/** A column is divided into this many rows; a card takes as many as it needs, and no fewer than the least. */
const ROWS = 24;
const ROWS_MIN = 8;

export interface BoardOptions extends CardOptions {
  /** Called when other columns became visible. */
  onScroll(): void;
}

/** The grid of tickets of one store. Cards are keyed by order: cards that do not change are not touched. */
export class Board {
  readonly node: HTMLOListElement;
  readonly #options: BoardOptions;
  readonly #slots = new Slots();
  readonly #cards = new Map<string, TicketCard>();
  readonly #movedAt = new Map<string, number>();
  /** Where each card is. */
  #places = new Map<string, Place>();
  /** Pixels between two cards. */
  #gap = 0;
  /** Pixels of one row, of the visible columns, and of the scrolled part. Stored, because reading them from the page forces a layout. */
  #row = 0;
  #width = 0;
  #left = 0;
  #columns = 4;
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(node: HTMLOListElement, options: BoardOptions) {
    this.node = node;
    this.#options = options;
    new ResizeObserver(() => this.#resize()).observe(node);
    node.addEventListener(
      'scroll',
      () => {
        this.#left = node.scrollLeft;
        options.onScroll();
      },
      { passive: true },
    );
    this.#resize();
  }

  /** Places taken by tickets, in their order; index 0 belongs to key 1. Empty places keep their number. */
  at(position: number): TicketCard | undefined {
    const slot = this.#slots.all[position - 1];
    return slot === undefined ? undefined : this.#cards.get(slot.ticket.orderId);
  }

  card(orderId: string): TicketCard | undefined {
    return this.#cards.get(orderId);
  }

  get scrolled(): boolean {
    return this.#left > 8;
  }

  /** Tickets on the visible columns. */
  get inView(): number {
    const first = Math.round((this.#left / this.#width) * this.#columns) || 0;
    let count = 0;
    for (const [orderId, { column }] of this.#places) {
      if (column >= first && column < first + this.#columns && this.#cards.get(orderId)?.hasLeft === false) count++;
    }
    return count;
  }

  /** Scrolls to the next columns, and from the last ones back to the oldest tickets. */
  scroll(): void {
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.node.scrollTo({ left: this.scrolled ? 0 : this.node.clientWidth, behavior: still ? 'instant' : 'smooth' });
  }

  isSettling(orderId: string, now: number): boolean {
    return now - (this.#movedAt.get(orderId) ?? Number.NEGATIVE_INFINITY) < SETTLE_MS;
  }

  /** Brings the board up to date with the open tickets, given oldest first. */
  show(open: readonly TicketView[], now: number): void {
    this.#slots.update(open, now);
    this.#draw(now);
  }

  /** Closes empty places, sooner when `crowded`. Called when no hand is near the board. */
  closeUp(now: number, crowded: boolean): void {
    if (this.#slots.closeUp(now, crowded)) this.#draw(now);
  }

  tick(now: number, settings: PageSettings): void {
    for (const card of this.#cards.values()) if (!card.hasLeft) card.tick(now, settings);
  }

  /** Draws all changes. In this order the browser lays out the page once for cards that need measuring, and twice more only when cards glide. */
  #draw(now: number): void {
    const calm = now - this.#drawnAt >= CALM_MS;
    this.#drawnAt = now;
    const slots = this.#slots.first(DRAWN_MAX);
    const gliding = calm && !matchMedia('(prefers-reduced-motion: reduce)').matches;
    const before = gliding ? this.#boxes() : undefined;
    this.#dropAllBut(slots);
    const cards = slots.map((slot) => this.#ensure(slot, calm));
    this.#measure(cards);
    const moved = this.#place(cards);
    for (const { ticket } of moved) this.#movedAt.set(ticket.orderId, now);
    if (before !== undefined) glide(moved, before);
    this.node.toggleAttribute('data-empty', slots.length === 0);
  }

  #dropAllBut(slots: Slot[]): void {
    const wanted = new Set(slots.map(({ ticket }) => ticket.orderId));
    for (const [orderId, card] of this.#cards) {
      if (wanted.has(orderId)) continue;
      card.node.remove();
      this.#cards.delete(orderId);
      this.#movedAt.delete(orderId);
    }
  }

  #ensure({ ticket, leftAt }: Slot, calm: boolean): TicketCard {
    let card = this.#cards.get(ticket.orderId);
    if (card === undefined) {
      card = new TicketCard(ticket, this.#options);
      card.node.toggleAttribute('data-arriving', calm);
      this.node.append(card.node);
      this.#cards.set(ticket.orderId, card);
    } else if (card.ticket !== ticket) {
      // The card of a recalled or unconfirmed ticket has one more line.
      if (card.ticket.round !== ticket.round || card.ticket.confirmation !== ticket.confirmation) card.span = undefined;
      card.update(ticket);
    }
    if (card.hasLeft !== (leftAt !== undefined)) card.leave(leftAt !== undefined);
    return card;
  }

  /** Places each card. @returns the cards that were elsewhere before */
  #place(cards: readonly TicketCard[]): TicketCard[] {
    const arranged = arrange(
      cards.map(({ span }) => span ?? ROWS_MIN),
      ROWS,
    );
    const places = new Map<string, Place>();
    const moved: TicketCard[] = [];
    let expected = this.node.firstElementChild;
    cards.forEach((card, index) => {
      const place = arranged[index];
      if (place === undefined) return;
      const { orderId } = card.ticket;
      const before = this.#places.get(orderId);
      places.set(orderId, place);
      if (before?.row !== place.row || before.column !== place.column || before.span !== place.span)
        card.node.style.gridArea = `${place.row + 1} / ${place.column + 1} / span ${place.span} / span 1`;
      if (before !== undefined && (before.row !== place.row || before.column !== place.column)) moved.push(card);
      card.setPosition(index < 9 ? index + 1 : undefined);
      // Screen readers and the tab key use the order of the cards in the document.
      if (expected === card.node) expected = card.node.nextElementSibling;
      else this.node.insertBefore(card.node, expected);
    });
    this.#places = places;
    return moved;
  }

  /** Measures new cards, all together, so that a burst of tickets needs one layout. */
  #measure(cards: readonly TicketCard[]): void {
    const fresh = cards.filter(({ span }) => span === undefined);
    const heights = fresh.map((card) => card.naturalHeight);
    fresh.forEach((card, index) => {
      const rows = Math.ceil(((heights[index] ?? 0) + this.#gap) / this.#row);
      card.span = Math.min(ROWS, Math.max(ROWS_MIN, rows));
      card.setOverflow(rows > ROWS);
    });
  }

  #boxes(): Map<string, DOMRect> {
    return new Map([...this.#cards].map(([orderId, { node }]) => [orderId, node.getBoundingClientRect()]));
  }

  /** Columns from the size of the screen: four columns on a wall screen, as many as fit on a tablet. */
  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.node;
    if (width === 0 || height === 0) return;
    const target = Math.max(CARD_WIDTH_MIN, width * 0.235);
    const columns = Math.max(1, Math.floor(width / target));
    this.#columns = columns;
    this.#gap = Number.parseFloat(getComputedStyle(this.node).columnGap) || 0;
    this.#row = height / ROWS;
    this.#width = width;
    this.#left = this.node.scrollLeft;
    this.node.style.setProperty('--columns', String(columns));
    const cards = this.#slots.first(DRAWN_MAX).flatMap(({ ticket }) => this.#cards.get(ticket.orderId) ?? []);
    for (const card of cards) card.span = undefined;
    this.#measure(cards);
    this.#place(cards);
  }
}

/** Animates cards to their new places, so that people can follow them. */
function glide(moved: readonly TicketCard[], before: ReadonlyMap<string, DOMRect>): void {
  const ways = moved.flatMap(({ ticket, node }) => {
    const from = before.get(ticket.orderId);
    const to = node.getBoundingClientRect();
    return from === undefined ? [] : [{ node, x: from.left - to.left, y: from.top - to.top }];
  });
  for (const { node, x, y } of ways)
    node.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: 'none' }], {
      duration: 280,
      easing: 'cubic-bezier(.2,.8,.2,1)',
    });
}

/** The text of an empty board. */
export function emptyState(storeId: string): HTMLElement {
  return element(
    'div',
    { class: 'empty' },
    element(
      'div',
      { class: 'when-sure' },
      element('p', { class: 'empty-title' }, 'All caught up'),
      element('p', {}, 'Orders appear here as soon as they are paid.'),
    ),
    element(
      'div',
      { class: 'when-unsure' },
      element('p', { class: 'empty-title' }, 'No tickets known'),
      element('p', {}, 'This screen is not up to date: there may be orders that it does not show yet.'),
    ),
    element(
      'div',
      { class: 'when-unknown' },
      element('p', { class: 'empty-title' }, 'No such store'),
      element(
        'p',
        {},
        `The menu has no store ${storeId}, and no order of it was seen. Check the address of this page, or load the menu with this store.`,
      ),
    ),
  );
}
