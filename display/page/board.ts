import type { PageSettings, TicketView } from '../messages.ts';
import { element } from './dom.ts';
import { arrange, type Slot, Slots } from './slots.ts';
import { type CardOptions, TicketCard } from './ticket-card.ts';

/** Tickets in the page; what waits behind them is a number. A crew works on the oldest few. */
const DRAWN_MAX = 40;
/** An empty place stays for this long after its ticket left. */
const HOLD_MS = 2_500;
/** A card that has just moved takes no command: it may have come under a finger that meant another. */
const SETTLE_MS = 450;
/**
 * Cards move only when nothing changed for this long before: motion draws the eye to a ticket on a calm board, and on one where something changes all
 * the time it would draw it everywhere, and keep the screen's processor busy.
 */
const CALM_MS = 500;
const CARD_WIDTH_MIN = 290;
/** A column is divided into this many rows; a card takes as many as it needs, and no fewer than the least. */
const ROWS = 24;
const ROWS_MIN = 8;

export interface BoardOptions extends CardOptions {
  /** Other columns came into view. */
  onScroll(): void;
}

/** The grid of tickets of one store. Cards are keyed by order: what doesn't change isn't touched. */
export class Board {
  readonly node: HTMLOListElement;
  readonly #options: BoardOptions;
  readonly #slots = new Slots();
  readonly #cards = new Map<string, TicketCard>();
  readonly #movedAt = new Map<string, number>();
  /** The column of each card that holds a ticket. */
  readonly #columnOf = new Map<string, number>();
  /** Pixels between two cards. */
  #gap = 0;
  #columns = 4;
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(node: HTMLOListElement, options: BoardOptions) {
    this.node = node;
    this.#options = options;
    new ResizeObserver(() => this.#resize()).observe(node);
    node.addEventListener('scroll', () => options.onScroll(), { passive: true });
    this.#resize();
  }

  /** Places taken by tickets, in their order; index 0 answers to key 1. Empty places keep their number. */
  at(position: number): TicketCard | undefined {
    const slot = this.#slots.all[position - 1];
    return slot === undefined ? undefined : this.#cards.get(slot.ticket.orderId);
  }

  card(orderId: string): TicketCard | undefined {
    return this.#cards.get(orderId);
  }

  get scrolled(): boolean {
    return this.node.scrollLeft > 8;
  }

  /** Tickets on the visible columns. */
  get inView(): number {
    const first = Math.round((this.node.scrollLeft / this.node.clientWidth) * this.#columns) || 0;
    let count = 0;
    for (const [orderId, column] of this.#columnOf) {
      if (column >= first && column < first + this.#columns && this.#cards.get(orderId)?.hasLeft === false) count++;
    }
    return count;
  }

  /** To the next columns, and from there back to the oldest. */
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

  /** Closes empty places; called when no hand is near the board. */
  closeUp(now: number): void {
    if (this.#slots.closeUp(now, HOLD_MS)) this.#draw(now);
  }

  tick(now: number, settings: PageSettings): void {
    for (const card of this.#cards.values()) if (!card.hasLeft) card.tick(now, settings);
  }

  #draw(now: number): void {
    const calm = now - this.#drawnAt >= CALM_MS;
    this.#drawnAt = now;
    const slots = this.#slots.first(DRAWN_MAX);
    const before = this.#boxes();
    this.#dropAllBut(slots);
    for (const slot of slots) this.#ensure(slot, calm);
    this.#place(slots);
    this.#measure(slots);
    this.#glide(before, now, calm);
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

  #ensure({ ticket, leftAt }: Slot, calm: boolean): void {
    let card = this.#cards.get(ticket.orderId);
    if (card === undefined) {
      card = new TicketCard(ticket, this.#options);
      card.node.toggleAttribute('data-arriving', calm);
      this.#cards.set(ticket.orderId, card);
    } else if (card.ticket !== ticket) {
      // A ticket that was taken back says so, which takes a line more.
      if (card.ticket.round !== ticket.round) card.span = undefined;
      card.update(ticket);
    }
    if (card.hasLeft !== (leftAt !== undefined)) card.leave(leftAt !== undefined);
  }

  #place(slots: Slot[]): void {
    const cards = slots.flatMap(({ ticket }) => this.#cards.get(ticket.orderId) ?? []);
    const places = arrange(
      cards.map(({ span }) => span ?? ROWS_MIN),
      ROWS,
    );
    this.#columnOf.clear();
    let previous: Element | null = null;
    cards.forEach((card, index) => {
      const place = places[index];
      if (place === undefined) return;
      const area = `${place.row + 1} / ${place.column + 1} / span ${place.span} / span 1`;
      if (card.node.style.gridArea !== area) card.node.style.gridArea = area;
      this.#columnOf.set(card.ticket.orderId, place.column);
      card.setPosition(index < 9 ? index + 1 : undefined);
      // Reading and tab order follow the eye.
      const expected: Element | null = previous === null ? this.node.firstElementChild : previous.nextElementSibling;
      if (expected !== card.node) this.node.insertBefore(card.node, expected);
      previous = card.node;
    });
  }

  /** New cards are measured once, all together: one layout for a burst of tickets. */
  #measure(slots: Slot[]): void {
    const fresh = slots.flatMap(({ ticket }) => {
      const card = this.#cards.get(ticket.orderId);
      return card !== undefined && card.span === undefined ? [card] : [];
    });
    if (fresh.length === 0) return;
    const row = this.node.clientHeight / ROWS;
    for (const card of fresh)
      card.span = Math.min(ROWS, Math.max(ROWS_MIN, Math.ceil((card.naturalHeight + this.#gap) / row)));
    this.#place(slots);
    for (const card of fresh) card.markOverflow();
  }

  #boxes(): Map<string, DOMRect> {
    return new Map([...this.#cards].map(([orderId, { node }]) => [orderId, node.getBoundingClientRect()]));
  }

  /** Lets cards that got a new place glide there, so that the eye can follow. */
  #glide(before: Map<string, DOMRect>, now: number, calm: boolean): void {
    const still = !calm || matchMedia('(prefers-reduced-motion: reduce)').matches;
    for (const [orderId, { node }] of this.#cards) {
      const from = before.get(orderId);
      if (from === undefined) continue;
      const to = node.getBoundingClientRect();
      const [dx, dy] = [from.left - to.left, from.top - to.top];
      if (Math.abs(dx) < 1 && Math.abs(dy) < 1) continue;
      this.#movedAt.set(orderId, now);
      if (still) continue;
      node.animate([{ transform: `translate(${dx}px, ${dy}px)` }, { transform: 'none' }], {
        duration: 280,
        easing: 'cubic-bezier(.2,.8,.2,1)',
      });
    }
  }

  /** Columns from the size of the screen: four columns on a wall screen, as many as fit on a tablet. */
  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.node;
    if (width === 0 || height === 0) return;
    const target = Math.max(CARD_WIDTH_MIN, width * 0.235);
    const columns = Math.max(1, Math.floor(width / target));
    this.#columns = columns;
    this.#gap = Number.parseFloat(getComputedStyle(this.node).columnGap) || 0;
    this.node.style.setProperty('--columns', String(columns));
    for (const card of this.#cards.values()) card.span = undefined;
    const slots = this.#slots.first(DRAWN_MAX);
    this.#place(slots);
    this.#measure(slots);
  }
}

/** What stands where tickets would be. */
export function emptyState(): HTMLElement {
  return element(
    'div',
    { class: 'empty' },
    element('p', { class: 'empty-title' }, 'All caught up'),
    element('p', {}, 'Orders appear here as soon as they are paid.'),
  );
}
