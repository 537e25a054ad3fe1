// The connected screens, and what is sent to them. Used by server.ts and by the kitchen of the edge agent.

import type { WebSocket } from 'uWebSockets.js';
import type { ServerMessage, TicketView } from './messages.ts';

/** A connected page. */
export interface Screen {
  readonly socket: WebSocket<Screen>;
  /** `undefined`: the page of the whole chain. */
  readonly storeId: string | undefined;
  /** Of the admission of the screen; `undefined` where every screen is admitted. */
  readonly screenId?: string | undefined;
  /** Changes that came while the snapshot was being read; sent after it. `undefined` once the screen has its snapshot. */
  waiting: string[] | undefined;
  /** Whether another snapshot was requested while one is being read. */
  snapshotAgain: boolean;
  /** Whether a snapshot is being read. */
  isReading: boolean;
  /** Commands that are not answered yet. */
  unanswered: number;
  closed: boolean;
  /** Its last snapshot said that there is no such store. */
  storeUnknown?: boolean;
}

/** The page of the chain shows only the newest tickets, so of a burst it gets no more than this number. */
const CHAIN_BURST_MAX = 200;
/** When more changes than this wait for a screen's snapshot, the screen is closed, and connects again. */
const WAITING_MAX = 2_000;
/** In the range that WebSocket leaves to applications; 401 is HTTP's number for it. */
const REMOVED_CODE = 4_401;

/**
 * All connected screens. Each ticket is serialised once, however many screens show it. A screen that does not keep up is
 * closed: it reconnects by itself and starts from a snapshot, so nothing is kept for it here.
 */
export class Screens {
  readonly #all = new Set<Screen>();
  readonly #onDropped: () => void;

  constructor(onDropped: () => void) {
    this.#onDropped = onDropped;
  }

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): IterableIterator<Screen> {
    return this.#all.values();
  }

  add(screen: Screen): void {
    this.#all.add(screen);
  }

  remove(screen: Screen): void {
    screen.closed = true;
    screen.waiting = undefined;
    this.#all.delete(screen);
  }

  /** Tells screens that they were removed, and ends their connections. */
  expel(screenIds: ReadonlySet<string>): void {
    for (const screen of [...this.#all]) {
      if (screen.screenId === undefined || !screenIds.has(screen.screenId)) continue;
      this.send(screen, { type: 'removed' });
      if (!screen.closed) screen.socket.end(REMOVED_CODE, 'this screen was removed');
    }
  }

  /** Sends changes to the screens that show them. Returns how many frames went out. */
  publish(tickets: readonly TicketView[], now: number): number {
    if (this.#all.size === 0) return 0;
    const byStore = Map.groupBy(tickets, ({ storeId }) => storeId);
    const frames = new Map<string | undefined, string | undefined>();
    let sent = 0;
    for (const screen of [...this.#all]) {
      const { storeId } = screen;
      if (!frames.has(storeId)) frames.set(storeId, frameFor(storeId, tickets, byStore, now));
      const frame = frames.get(storeId);
      if (frame === undefined) continue;
      if (screen.waiting === undefined) this.#send(screen, frame);
      else if (screen.waiting.length < WAITING_MAX) screen.waiting.push(frame);
      else this.#drop(screen);
      sent++;
    }
    return sent;
  }

  /** Sends the snapshot, then what changed while it was being read. Returns the snapshot's bytes. */
  snapshot(screen: Screen, message: ServerMessage): number {
    const text = JSON.stringify(message);
    this.#send(screen, text);
    this.release(screen);
    return Buffer.byteLength(text);
  }

  /** Sends the changes that waited for the snapshot; later changes are sent at once. */
  release(screen: Screen): void {
    const waiting = screen.waiting ?? [];
    screen.waiting = undefined;
    for (const frame of waiting) this.#send(screen, frame);
  }

  send(screen: Screen, message: ServerMessage): void {
    this.#send(screen, JSON.stringify(message));
  }

  #send(screen: Screen, text: string): void {
    if (screen.closed) return;
    // 2: the frame was dropped, because too much is buffered for this socket.
    if (screen.socket.send(text) === 2) this.#drop(screen);
  }

  #drop(screen: Screen): void {
    if (screen.closed) return;
    this.remove(screen);
    this.#onDropped();
    // Not `end`: its close frame would wait behind all frames that this screen does not read.
    screen.socket.close();
  }
}

function frameFor(
  storeId: string | undefined,
  tickets: readonly TicketView[],
  byStore: Map<string, TicketView[]>,
  now: number,
): string | undefined {
  const shown = storeId === undefined ? newestOf(tickets) : byStore.get(storeId);
  return shown === undefined
    ? undefined
    : JSON.stringify({ type: 'tickets', now, tickets: shown } satisfies ServerMessage);
}

/** The part of a burst for the page of the chain: all changed and cooked tickets, and the newest of the new tickets. */
function newestOf(tickets: readonly TicketView[]): TicketView[] {
  if (tickets.length <= CHAIN_BURST_MAX) return [...tickets];
  const came = tickets.filter(({ state }) => state === 'open').sort((a, b) => a.since - b.since);
  return [...tickets.filter(({ state }) => state !== 'open'), ...came.slice(-CHAIN_BURST_MAX)];
}
