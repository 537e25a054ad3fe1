import type { PageSettings, ServerMessage } from '../messages.ts';
import { Connection } from './connection.ts';
import { element, find, setText } from './dom.ts';
import { type Sight, wordsFor } from './sight.ts';

/** The frame of every page: the state of the connection, the clock, and the banner that shows troubles. */
export class Shell {
  readonly connection: Connection;
  settings: PageSettings = { dueAfterMs: Number.POSITIVE_INFINITY, lateAfterMs: Number.POSITIVE_INFINITY };
  /** Whether this screen gets every ticket: only then an empty board means that there are no open orders. */
  isSure = false;
  /** Server clock minus this screen's clock: ages are right on a tablet whose clock is wrong. */
  #offsetMs = 0;
  readonly #sight: Sight = {
    line: 'connecting',
    hasTickets: false,
    since: Date.now(),
    heardAt: Date.now(),
    database: 'up',
    region: 'up',
  };
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

  /** Milliseconds since 1970 by the server's clock. */
  now(): number {
    return Date.now() + this.#offsetMs;
  }

  #receive(message: ServerMessage): void {
    const sight = this.#sight;
    sight.heardAt = Date.now();
    if ('now' in message) this.#offsetMs = message.now - Date.now();
    if (message.type === 'snapshot') {
      this.settings = message.settings;
      sight.hasTickets = true;
    }
    if (message.type === 'beat') {
      sight.database = message.database;
      sight.region = message.line ?? 'up';
      sight.stale = message.stale;
    }
    this.#show();
    this.#onMessage(message);
  }

  #setLine(line: 'live' | 'lost'): void {
    this.#sight.line = line;
    this.#sight.since = Date.now();
    // The first messages of the new connection bring the new state.
    Object.assign(this.#sight, { hasTickets: false, database: 'up', stale: undefined });
    this.#show();
  }

  #tick(): void {
    const now = new Date(this.now());
    setText(find('clock'), now.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }));
    this.#show();
  }

  #show(): void {
    const { line, word, banner, isStale } = wordsFor(this.#sight, Date.now());
    find('line').dataset.line = line;
    setText(find('line-word'), word);
    const node = find('banner');
    node.hidden = banner === '';
    setText(node, banner);
    document.body.toggleAttribute('data-stale', isStale);
    // An empty board says "All caught up" only while that is known.
    this.isSure = line === 'live';
    document.body.toggleAttribute('data-unsure', !this.isSure);
  }
}

/** The row of figures in the bar; each has a term and a value. */
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
