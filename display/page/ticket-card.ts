// The card of one ticket, and its words. Created by board.ts and chain-page.ts.

import type { Command, PageSettings, TicketLine, TicketModifier, TicketPart, TicketView } from '../messages.ts';
import { type AgeLevel, ageLevel, ageWords, formatElapsed, ticketNumber } from './age.ts';
import { element, icon, setText } from './dom.ts';

/** Where it goes, if the point of sale said so; else the channel says enough. */
const fulfilments: Record<string, { word: string; icon: string }> = {
  'eat-in': { word: 'Eat in', icon: 'counter' },
  'take-away': { word: 'Take away', icon: 'bag' },
  'drive-thru': { word: 'Drive-thru', icon: 'car' },
  curbside: { word: 'Curbside', icon: 'car' },
  delivery: { word: 'Delivery', icon: 'bike' },
};

const channels: Record<string, { word: string; icon: string }> = {
  'drive-thru': { word: 'Drive-thru', icon: 'car' },
  kiosk: { word: 'Kiosk', icon: 'kiosk' },
  delivery: { word: 'Delivery', icon: 'bike' },
  app: { word: 'App', icon: 'phone' },
  web: { word: 'Web', icon: 'globe' },
  pos: { word: 'Counter', icon: 'counter' },
};

const confirmationWords = { waiting: 'Not yet confirmed', refused: 'Refused: ask the counter' };

export function channelOf({ channel, fulfilment = '' }: TicketView): { word: string; icon: string } {
  return fulfilments[fulfilment] ?? channels[channel] ?? { word: channel, icon: 'store' };
}

export function spokenTicket(ticket: TicketView): string {
  const { guest, table } = ticket;
  const who = [ticketNumber(ticket), guest, channelOf(ticket).word, table === undefined ? undefined : `table ${table}`];
  return `${who.filter((word) => word !== undefined).join(', ')}: ${ticket.lines.map(spokenLine).join(', ')}`;
}

function spokenLine({ quantity, name, allergies, note }: TicketLine): string {
  const allergy = allergies === undefined ? '' : `, allergy ${allergies.join(' and ')}`;
  return `${quantity} ${name}${allergy}${note === undefined ? '' : `, ${note}`}`;
}

export interface CardOptions {
  /** On the page of the chain the card shows the store instead of the channel. */
  storeName?(storeId: string): string;
  onCommand(type: Command['type'], ticket: TicketView): void;
}

/** For this long after a ticket left, its place takes no "undo", so the second half of a double click does nothing. */
const UNDO_GUARD_MS = 700;

/** The card of one ticket. Built once; after that only changes are written. */
export class TicketCard {
  readonly node: HTMLLIElement;
  readonly bumpButton: HTMLButtonElement;
  /** The number of rows that the card needs; measured once the card is in the page. */
  span: number | undefined;
  #ticket: TicketView;
  /** The state that is shown. Stored, because the board asks often and reading from the page is slow. */
  #level: AgeLevel | undefined;
  #elapsedText = '';
  #positionShown: number | undefined | null = null;
  readonly #startButton: HTMLButtonElement;
  readonly #undoButton: HTMLButtonElement;
  readonly #bumpWord = element('span', {}, 'Bump');
  readonly #startWord = element('span', {}, 'Start');
  readonly #position = element('span', { class: 'position', 'aria-hidden': 'true' });
  readonly #elapsed = element('span', { class: 'elapsed' });
  readonly #ageWord = element('span');
  readonly #body: HTMLElement;
  readonly #content: HTMLElement;
  readonly #header: HTMLElement;
  readonly #footer = element('footer');
  readonly #again = element('p', { class: 'again' }, icon('undo'), 'Taken back');
  readonly #confirmationWord = element('span');
  readonly #confirmation = element('p', { class: 'confirmation' }, icon('warning'), this.#confirmationWord);

  constructor(ticket: TicketView, { storeName, onCommand }: CardOptions) {
    this.#ticket = ticket;
    const number = ticketNumber(ticket);
    const channel = channelOf(ticket);
    this.#startButton = element('button', { type: 'button', class: 'start' }, icon('flame'), this.#startWord);
    this.bumpButton = element('button', { type: 'button', class: 'bump' }, icon('check'), this.#bumpWord);
    this.#undoButton = element('button', { type: 'button', class: 'undo' }, icon('undo'), 'Take back');
    this.#startButton.setAttribute('aria-label', `Start ticket ${number}`);
    this.bumpButton.setAttribute('aria-label', `Bump ticket ${number}`);
    this.#undoButton.setAttribute('aria-label', `Take back ticket ${number}`);
    this.#startButton.addEventListener('click', () => onCommand('start', this.#ticket));
    this.bumpButton.addEventListener('click', () => onCommand('bump', this.#ticket));
    this.#undoButton.addEventListener('click', () => onCommand('recall', { ...this.#ticket, state: 'cooked' }));

    const origin =
      storeName === undefined
        ? element('span', { class: 'origin' }, icon(channel.icon), channel.word, ...tableOf(ticket))
        : element(
            'a',
            { class: 'origin', href: `/stores/${ticket.storeId}` },
            icon(channel.icon),
            element('span', {}, storeName(ticket.storeId)),
          );
    this.#content = element(
      'div',
      { class: 'content' },
      this.#confirmation,
      this.#again,
      ...guestOf(ticket),
      linesOf(ticket.lines),
    );
    this.#body = element('div', { class: 'body' }, this.#content);
    this.#header = element(
      'header',
      {},
      this.#position,
      element('div', { class: 'who' }, element('h2', {}, number), origin),
      element(
        'div',
        { class: 'age' },
        this.#elapsed,
        element('span', { class: 'age-word' }, icon('warning'), this.#ageWord),
      ),
    );
    this.#footer.append(this.#startButton, this.bumpButton);
    this.node = element(
      'li',
      { class: 'ticket', 'data-order': ticket.orderId },
      element('article', { 'aria-label': `Ticket ${spokenTicket(ticket)}` }, this.#header, this.#body, this.#footer),
      element(
        'div',
        { class: 'left', 'aria-hidden': 'true' },
        icon('check'),
        element('strong', {}, number),
        this.#undoButton,
      ),
    );
    this.update(ticket);
    this.leave(false);
  }

  get ticket(): TicketView {
    return this.#ticket;
  }

  update(ticket: TicketView): void {
    this.#ticket = ticket;
    const cooking = ticket.state === 'cooking';
    this.node.dataset.state = ticket.state;
    this.node.dataset.round = String(ticket.round);
    this.#startButton.disabled = cooking;
    this.#again.hidden = ticket.round === 1;
    const { confirmation } = ticket;
    this.#confirmation.hidden = confirmation === undefined;
    if (confirmation === undefined) delete this.node.dataset.confirmation;
    else this.node.dataset.confirmation = confirmation;
    if (confirmation !== undefined) setText(this.#confirmationWord, confirmationWords[confirmation]);
    setText(this.#startWord, cooking ? 'Cooking' : 'Start');
  }

  tick(now: number, settings: PageSettings): void {
    const elapsed = now - this.#ticket.since;
    const level = ageLevel(elapsed, settings);
    if (this.#level !== level) {
      this.#level = level;
      this.node.dataset.age = level;
      setText(this.#ageWord, ageWords[level]);
    }
    const text = formatElapsed(elapsed);
    if (this.#elapsedText === text) return;
    this.#elapsedText = text;
    this.#elapsed.textContent = text;
  }

  /** The number key that bumps the ticket; `undefined` beyond the ninth. */
  setPosition(position: number | undefined): void {
    if (this.#positionShown === position) return;
    this.#positionShown = position;
    setText(this.#position, position === undefined ? '' : String(position));
    this.node.dataset.position = position === undefined ? '' : String(position);
  }

  /** A command is in flight: the buttons are disabled until its answer. */
  setPending(type: Command['type'] | undefined): void {
    if (type === undefined) delete this.node.dataset.pending;
    else this.node.dataset.pending = type;
    this.bumpButton.disabled = type !== undefined;
    this.#undoButton.disabled = type !== undefined;
    this.#startButton.disabled = type !== undefined || this.#ticket.state === 'cooking';
    setText(this.#bumpWord, type === 'bump' ? 'Bumping…' : 'Bump');
  }

  get pending(): boolean {
    return this.node.dataset.pending !== undefined;
  }

  get hasLeft(): boolean {
    return this.node.dataset.left !== undefined;
  }

  /** Shows the empty place of a ticket that left, with an undo button. */
  leave(left: boolean): void {
    const [article, place] = this.node.children;
    if (left) this.node.dataset.left = '';
    else delete this.node.dataset.left;
    article?.toggleAttribute('inert', left);
    place?.toggleAttribute('inert', !left);
    place?.setAttribute('aria-hidden', String(!left));
    if (!left) return;
    this.setPending(undefined);
    this.#undoButton.disabled = true;
    setTimeout(() => {
      this.#undoButton.disabled = false;
    }, UNDO_GUARD_MS);
  }

  /** Height in pixels at which nothing is cut off. Forces a layout: call it once per card, and for all new cards together. */
  get naturalHeight(): number {
    return this.#header.offsetHeight + this.#content.offsetHeight + this.#footer.offsetHeight;
  }

  /** Shows that the content goes on below, when even a tall card is too short. */
  setOverflow(more: boolean): void {
    this.#body.toggleAttribute('data-more', more);
  }

  /** The same, measured, for a card whose height is given by its place. Forces a layout. */
  markOverflow(): void {
    this.setOverflow(this.#body.scrollHeight > this.#body.clientHeight + 1);
  }
}

function linesOf(lines: TicketLine[]): HTMLUListElement {
  return element(
    'ul',
    { class: 'lines' },
    ...lines.map((line) =>
      element(
        'li',
        {},
        element('span', { class: 'quantity', 'data-many': line.quantity > 1 }, String(line.quantity)),
        element('div', {}, element('span', { class: 'name' }, line.name), ...detailsOf(line)),
      ),
    ),
  );
}

function tableOf({ table }: TicketView): HTMLElement[] {
  return table === undefined ? [] : [element('span', { class: 'table' }, `Table ${table}`)];
}

function guestOf({ guest, promisedAt }: TicketView): HTMLElement[] {
  const words: string[] = [];
  if (guest !== undefined) words.push(guest);
  if (promisedAt !== undefined)
    words.push(`for ${new Date(promisedAt).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}`);
  return words.length === 0 ? [] : [element('p', { class: 'guest', dir: 'auto' }, words.join(' · '))];
}

function detailsOf({ modifiers, parts = [], allergies = [], note }: TicketLine): HTMLElement[] {
  const details: HTMLElement[] = [];
  if (allergies.length > 0)
    details.push(element('p', { class: 'allergy', dir: 'auto' }, icon('warning'), `Allergy: ${allergies.join(', ')}`));
  if (modifiers.length > 0) details.push(element('ul', { class: 'modifiers' }, ...modifiers.map(modifierOf)));
  if (parts.length > 0) details.push(element('ul', { class: 'parts' }, ...parts.map(partOf)));
  if (note !== undefined) details.push(element('p', { class: 'note' }, icon('note'), note));
  return details;
}

function partOf({ name, quantity, modifiers }: TicketPart): HTMLLIElement {
  const part = element('li', {}, quantity > 1 ? `${quantity}× ${name}` : name);
  if (modifiers.length > 0) part.append(element('ul', { class: 'modifiers' }, ...modifiers.map(modifierOf)));
  return part;
}

function modifierOf({ name, quantity, kind }: TicketModifier): HTMLLIElement {
  return element('li', { 'data-kind': kind }, quantity > 1 ? `${quantity}× ${name}` : name);
}
