import type { PageSettings, ServerMessage } from '../messages.ts';
import { formatElapsed } from './age.ts';
import { Connection } from './connection.ts';
import { element, find, setText } from './dom.ts';

/** What is around the tickets on every page: the line to the server, its clock, and the banner that says when something is wrong. */
export class Shell {
  readonly connection: Connection;
  settings: PageSettings = { dueAfterMs: Number.POSITIVE_INFINITY, lateAfterMs: Number.POSITIVE_INFINITY };
  /** Server clock minus this screen's clock: ages are right on a tablet whose clock is wrong. */
  #offsetMs = 0;
  #heardAt = Date.now();
  #database: 'up' | 'down' = 'up';
  #region: 'up' | 'down' = 'up';
  #line: 'connecting' | 'live' | 'lost' = 'connecting';
  readonly #onMessage: (message: ServerMessage) => void;

  constructor(path: string, onMessage: (message: ServerMessage) => void) {
    this.#onMessage = onMessage;
    const url = new URL(path, location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    this.connection = new Connection(url.href, {
      onMessage: (message) => this.#receive(message),
      onUp: () => this.#setLine('live'),
      onDown: () => this.#setLine('lost'),
    });
    setInterval(() => this.#tick(), 1_000);
    this.#tick();
  }

  /** Milliseconds since the epoch by the server's clock. */
  now(): number {
    return Date.now() + this.#offsetMs;
  }

  #receive(message: ServerMessage): void {
    this.#heardAt = Date.now();
    if ('now' in message) this.#offsetMs = message.now - Date.now();
    if (message.type === 'snapshot') this.settings = message.settings;
    if (message.type === 'beat') {
      this.#database = message.database;
      this.#region = message.line ?? 'up';
    }
    this.#showBanner();
    this.#onMessage(message);
  }

  #setLine(line: 'live' | 'lost'): void {
    this.#line = line;
    if (line === 'live') this.#database = 'up';
    const words = { connecting: 'Connecting', live: 'Live', lost: 'Offline' };
    find('line').dataset.line = line;
    setText(find('line-word'), words[line]);
    this.#showBanner();
  }

  #tick(): void {
    const now = new Date(this.now());
    setText(find('clock'), now.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }));
    this.#showBanner();
  }

  /** Says what is wrong in words that tell the crew what still holds; the tickets stay readable. */
  #showBanner(): void {
    const banner = find('banner');
    const age = formatElapsed(Date.now() - this.#heardAt);
    const text =
      this.#line === 'lost'
        ? `Connection lost ${age} ago. Reconnecting. These tickets may be out of date.`
        : this.#line === 'live' && this.#database === 'down'
          ? 'The ticket store is not answering. New orders are safe and will appear when it is back.'
          : '';
    const shown = text === '' && this.#region === 'down' ? lineDown : text;
    banner.hidden = shown === '';
    document.body.toggleAttribute('data-stale', text !== '');
    setText(banner, shown);
  }
}

const lineDown =
  'The line to the region is down. Cook on: bumps are kept here, and tickets marked "not yet confirmed" are known only to this restaurant.';

/** The row of figures in the bar; each is a term and its value. */
export function showFigures(figures: Record<string, string>): void {
  const list = find('figures');
  const names = Object.keys(figures);
  if (list.childElementCount !== names.length)
    list.replaceChildren(...names.map((name) => element('div', {}, element('dt', {}, name), element('dd'))));
  names.forEach((name, index) => {
    const value = list.children[index]?.lastElementChild;
    if (value) setText(value, figures[name] ?? '');
  });
}
