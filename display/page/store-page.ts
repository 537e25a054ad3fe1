// The page of one store's kitchen. Shown by main.ts when the address names a store.

import type { Command, ServerMessage, TicketView } from '../messages.ts';
import { formatElapsed } from './age.ts';
import { Board, emptyState } from './board.ts';
import { sendCommand } from './crew-command.ts';
import { element, find, icon, setText } from './dom.ts';
import { listenToKeys } from './keyboard.ts';
import { RecallList } from './recall-list.ts';
import { Shell, showFigures } from './shell.ts';
import { spokenTicket } from './ticket-card.ts';
import { TicketList } from './ticket-list.ts';
import { announce, showError } from './toasts.ts';

/** Empty places close up only when the board was not touched for this long. */
const QUIET_MS = 900;
/** After this time without a touch, a scrolled board goes back to the oldest tickets. */
const HOME_MS = 20_000;

/** The page of one kitchen. */
export function showStorePage(storeId: string): void {
  document.title = `${storeId} · Kitchen display`;
  document.body.dataset.page = 'store';
  setText(find('title'), storeId);

  const tickets = new TicketList({ openMax: 300, bumpedMax: 20, keep: 'oldest' });
  const grid = element('ol', { class: 'board', 'aria-label': 'Open tickets, oldest first' });
  const recallButton = element('button', { type: 'button', id: 'recall' }, icon('undo'), 'Recall');
  const more = element('button', { type: 'button', id: 'more' });
  const shell = new Shell(`/live?store=${encodeURIComponent(storeId)}`, receive);
  const board = new Board(grid, { onCommand: command, onScroll: () => showMore() });
  const recalls = new RecallList((ticket) => command('recall', ticket));
  const shown = new Set<string>();
  let total = 0;
  let touchedAt = 0;
  let drawing = false;

  find('actions').append(recallButton);
  find('main').append(grid, emptyState(storeId), legend(more));
  recallButton.addEventListener('click', () => recalls.open(tickets.bumped()));
  for (const type of ['pointerdown', 'keydown']) addEventListener(type, () => (touchedAt = Date.now()), true);
  listenToKeys({
    bump: (position) => atPosition('bump', position),
    start: (position) => atPosition('start', position),
    recallLast: () => {
      const last = tickets.bumped()[0];
      if (last !== undefined) command('recall', last);
    },
    list: () => recalls.open(tickets.bumped()),
  });
  more.addEventListener('click', () => board.scroll());
  setInterval(tick, 1_000);

  function receive(message: ServerMessage): void {
    switch (message.type) {
      case 'snapshot':
        tickets.replaceAll(message.tickets, message.bumped, message.open);
        total = message.open;
        showName(message.storeName);
        document.body.toggleAttribute('data-unknown-store', message.storeUnknown ?? false);
        for (const { orderId } of message.tickets) shown.add(orderId);
        break;
      case 'tickets':
        document.body.removeAttribute('data-unknown-store');
        for (const ticket of tickets.apply(message.tickets)) {
          if (!shown.has(ticket.orderId)) announce(`New ticket ${spokenTicket(ticket)}`);
          shown.add(ticket.orderId);
        }
        forgetLeft();
        total = Math.max(total, tickets.openCount);
        break;
      case 'beat':
        if (message.open !== null) total = message.open;
        // The board has room again for tickets that were left out. The beat's count alone says little: it is older than the tickets.
        if (tickets.leavesOut && total > tickets.openCount && tickets.openCount < 100) shell.connection.refresh();
        break;
      case 'error':
        showError(message.problem.detail);
        break;
    }
    show();
  }

  function showName(name: string | undefined): void {
    find('title').replaceChildren(name ?? storeId, ...(name === undefined ? [] : [element('small', {}, storeId)]));
    document.title = `${name ?? storeId} · Kitchen display`;
  }

  /** Keeps the memory of what was read out as small as the lists themselves. */
  function forgetLeft(): void {
    if (shown.size < 1_000) return;
    shown.clear();
    for (const { orderId } of [...tickets.open(), ...tickets.bumped()]) shown.add(orderId);
  }

  /** Draws all changes between two frames together, in the next frame, so that a slow screen catches up in one step. */
  function show(): void {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      draw();
    });
  }

  function draw(): void {
    board.show(tickets.open(), Date.now());
    board.tick(shell.now(), shell.settings);
    recalls.update(tickets.bumped());
    recallButton.disabled = tickets.bumped().length === 0;
    showMore();
    figures();
  }

  /** Tickets beyond the edges of the screen. */
  function hiddenCount(): number {
    return Math.max(total, tickets.openCount) - board.inView;
  }

  /** The button with the number of hidden tickets, which scrolls to them. */
  function showMore(): void {
    const hidden = hiddenCount();
    more.hidden = hidden <= 0 && !board.scrolled;
    setText(more, board.scrolled ? '← Back to the oldest' : `${hidden} more →`);
  }

  function figures(): void {
    const open = tickets.open();
    const oldest = open[0];
    showFigures({
      Open: total === 0 && open.length === 0 && !shell.isSure ? '–' : String(Math.max(total, open.length)),
      Cooking: String(open.filter(({ state }) => state === 'cooking').length),
      Oldest: oldest === undefined ? '–' : formatElapsed(shell.now() - oldest.since),
    });
  }

  function tick(): void {
    board.tick(shell.now(), shell.settings);
    const quietMs = Date.now() - touchedAt;
    if (quietMs > QUIET_MS) {
      board.closeUp(Date.now(), hiddenCount() > 0);
      showMore();
    }
    if (quietMs > HOME_MS && board.scrolled) board.scroll();
    figures();
  }

  function atPosition(type: 'bump' | 'start', position: number): void {
    const card = board.at(position);
    if (card !== undefined && !card.hasLeft) command(type, card.ticket);
  }

  function command(type: Command['type'], ticket: TicketView): void {
    const card = board.card(ticket.orderId);
    if (card?.pending || (type === 'start' && ticket.state !== 'open')) return;
    if (board.isSettling(ticket.orderId, Date.now())) return;
    sendCommand(shell.connection, type, ticket, (orderId) => board.card(orderId));
  }
}

function legend(more: HTMLElement): HTMLElement {
  const hint = (keys: string, word: string) => element('span', {}, element('kbd', {}, keys), word);
  return element(
    'div',
    { id: 'legend' },
    element(
      'div',
      { class: 'hints' },
      hint('1–9', 'bump'),
      hint('Shift 1–9', 'start'),
      hint('R', 'take back the last'),
      hint('L', 'bumped list'),
    ),
    more,
  );
}
