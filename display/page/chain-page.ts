// The page of the whole chain. Shown by main.ts when the address names no store.

import type { Command, ServerMessage, StoreCount, TicketView } from '../messages.ts';
import { ageLevel, formatElapsed } from './age.ts';
import { sendCommand } from './crew-command.ts';
import { element, find, setText } from './dom.ts';
import { Shell, showFigures } from './shell.ts';
import { TicketCard } from './ticket-card.ts';
import { TicketList } from './ticket-list.ts';
import { showError } from './toasts.ts';

/** At most this many of the newest tickets change in a second: people cannot read faster, and more changes would only load the browser. */
const SWAPS_PER_SECOND = 4;
const CARD_WIDTH = 400;

interface Tile {
  node: HTMLAnchorElement;
  open: HTMLElement;
  age: HTMLElement;
  count: StoreCount;
}

/** The page of the whole chain: its newest tickets, and every store with its open ones. */
export function showChainPage(): void {
  document.body.dataset.page = 'chain';
  setText(find('title'), 'All kitchens');
  const tickets = new TicketList({ openMax: 200, bumpedMax: 0, keep: 'newest' });
  const strip = element('ol', { class: 'strip', 'aria-label': 'Newest tickets of the chain' });
  const more = element('span', { class: 'aside' });
  const tiles = new Map<string, Tile>();
  const grid = element('div', { class: 'stores' });
  const filter = element('input', { type: 'search', placeholder: 'Find a store', 'aria-label': 'Find a store' });
  const storesNote = element('span', { class: 'aside' });
  const cards = new Map<string, TicketCard>();
  const shell = new Shell('/live', receive);
  const arrivals: number[] = [];
  let counted = 0;

  find('main').append(
    element('section', {}, element('h2', {}, 'Newest orders', more), strip, quiet()),
    element('section', {}, element('div', { class: 'row' }, element('h2', {}, 'Stores', storesNote), filter), grid),
  );
  filter.addEventListener('input', () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const { node, count } of tiles.values())
      node.hidden = !`${count.storeId} ${count.name}`.toLowerCase().includes(wanted);
  });
  setInterval(swap, 1_000 / SWAPS_PER_SECOND);
  setInterval(tick, 1_000);

  function receive(message: ServerMessage): void {
    switch (message.type) {
      case 'snapshot':
        tickets.replaceAll(message.tickets, message.bumped, message.open);
        counted = message.open;
        syncCards();
        fill();
        break;
      case 'tickets': {
        const added = tickets.apply(message.tickets);
        const now = Date.now();
        for (const ticket of added) {
          if (ticket.round > 1) continue;
          arrivals.push(now);
          pulse(ticket.storeId);
        }
        syncCards();
        break;
      }
      case 'counts':
        showStores(message.stores);
        break;
      case 'error':
        showError(message.problem.detail);
        break;
    }
  }

  /** Updates the cards of changed tickets, and removes the cards of cooked tickets. */
  function syncCards(): void {
    for (const [orderId, card] of cards) {
      const ticket = tickets.get(orderId);
      if (ticket === undefined) {
        card.node.remove();
        cards.delete(orderId);
      } else if (ticket !== card.ticket) card.update(ticket);
    }
    strip.toggleAttribute('data-empty', tickets.openCount === 0);
  }

  function capacity(): number {
    return Math.max(2, Math.floor(strip.clientWidth / CARD_WIDTH));
  }

  function fill(): void {
    const newest = tickets.open().slice(-capacity()).reverse();
    for (const ticket of newest)
      if (!cards.has(ticket.orderId)) {
        const card = addCard(ticket);
        strip.append(card.node);
        card.markOverflow();
      }
  }

  /** Puts the newest ticket in the place of the oldest one shown, so that no other card moves. */
  function swap(): void {
    const newest = tickets.open().at(-1);
    if (newest === undefined || cards.has(newest.orderId)) {
      if (cards.size < Math.min(capacity(), tickets.openCount)) fill();
      return;
    }
    const card = addCard(newest);
    if (cards.size <= capacity()) {
      strip.append(card.node);
      card.markOverflow();
      return;
    }
    const oldest = [...cards.values()].sort((a, b) => a.ticket.since - b.ticket.since)[0];
    if (oldest === undefined) return;
    oldest.node.replaceWith(card.node);
    card.markOverflow();
    cards.delete(oldest.ticket.orderId);
  }

  function addCard(ticket: TicketView): TicketCard {
    const card = new TicketCard(ticket, { storeName: (id) => tiles.get(id)?.count.name ?? id, onCommand: command });
    card.tick(shell.now(), shell.settings);
    cards.set(ticket.orderId, card);
    return card;
  }

  function command(type: Command['type'], ticket: TicketView): void {
    const card = cards.get(ticket.orderId);
    if (card === undefined || card.pending) return;
    sendCommand(shell.connection, type, ticket, (orderId) => cards.get(orderId));
  }

  function showStores(stores: StoreCount[]): void {
    counted = 0;
    const busiest = Math.max(1, ...stores.map(({ open }) => open));
    for (const count of stores) {
      counted += count.open;
      const tile = tiles.get(count.storeId) ?? addTile(count);
      tile.count = count;
      setText(tile.open, String(count.open));
      tile.node.style.setProperty('--load', (count.open / busiest).toFixed(3));
    }
    const named = new Set(stores.map(({ storeId }) => storeId));
    for (const [storeId, { node }] of tiles) {
      if (named.has(storeId)) continue;
      node.remove();
      tiles.delete(storeId);
    }
    setText(storesNote, `${stores.length}`);
    tick();
  }

  function addTile(count: StoreCount): Tile {
    const open = element('strong');
    const age = element('span', { class: 'tile-age' });
    const [place, ...rest] = count.name.split(', ');
    const node = element(
      'a',
      { class: 'tile', href: `/stores/${count.storeId}` },
      element('span', { class: 'tile-name' }, place ?? count.name),
      element('span', { class: 'tile-part' }, rest.join(', ') || count.storeId),
      open,
      age,
    );
    const tile = { node, open, age, count };
    tiles.set(count.storeId, tile);
    const next = [...tiles.keys()].sort()[[...tiles.keys()].sort().indexOf(count.storeId) + 1];
    grid.insertBefore(node, next === undefined ? null : (tiles.get(next)?.node ?? null));
    return tile;
  }

  /** A short light on the tile of a store that got an order. */
  function pulse(storeId: string): void {
    const tile = tiles.get(storeId);
    if (tile === undefined || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    if (tile.node.getAnimations().length > 0) return;
    tile.node.animate([{ borderColor: '#3fdcb6' }, { borderColor: '#272d37' }], { duration: 700 });
  }

  function tick(): void {
    const now = shell.now();
    for (const card of cards.values()) card.tick(now, shell.settings);
    for (const { node, age, count } of tiles.values()) {
      node.dataset.age = count.open === 0 ? 'idle' : ageLevel(now - count.oldestSince, shell.settings);
      setText(age, count.open === 0 ? '' : formatElapsed(now - count.oldestSince));
    }
    figures(now);
  }

  function figures(now: number): void {
    while (arrivals.length > 0 && (arrivals[0] ?? 0) < Date.now() - 10_000) arrivals.shift();
    const open = Math.max(counted, tickets.openCount);
    const oldest = Math.min(
      ...[...tiles.values()].filter(({ count }) => count.open > 0).map((t) => t.count.oldestSince),
    );
    const hidden = open - cards.size;
    setText(more, hidden > 0 ? `${hidden.toLocaleString('en')} more open` : '');
    showFigures({
      Open: open === 0 && !shell.isSure ? '–' : open.toLocaleString('en'),
      'Orders/s': (arrivals.length / 10).toFixed(1),
      Oldest: Number.isFinite(oldest) ? formatElapsed(now - oldest) : '–',
    });
  }
}

function quiet(): HTMLElement {
  return element(
    'p',
    { class: 'quiet' },
    element('span', { class: 'when-sure' }, 'No open orders. Orders appear here as soon as they are paid.'),
    element(
      'span',
      { class: 'when-unsure' },
      'No orders known. This screen is not up to date: there may be orders that it does not show yet.',
    ),
  );
}
