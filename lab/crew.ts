// A simulated kitchen crew: cooks tickets at the display. Used by `ordermesh up`, `ordermesh smoke`, the lab and the ticket benchmark.

import type { ClientMessage, ServerMessage, TicketView } from '../display/index.ts';
import type { Random } from './traffic/random.ts';

export interface CrewOptions {
  /** Base address of the kitchen display. */
  display: URL;
  /** Its token of a screen, where the display asks for one. */
  token?: string | undefined;
  /** How long a ticket is on the board before it is bumped, in milliseconds. Absent: the crew only watches. */
  cookingMs?: readonly [from: number, to: number] | undefined;
  random: Random;
  /** How often it looks for tickets that the page of the chain had no room for, in milliseconds; 1,000 by default. */
  refreshMs?: number;
  /** Share of the cooked tickets of the first round that come back to the kitchen; none by default. */
  recallShare?: number;
  /** Each ticket that the display shows, every time it does. */
  onTicket?(ticket: TicketView): void;
  /** Each command, when it is answered or its connection has broken. */
  onCommand?(command: CrewCommand): void;
}

/** What the crew told the display, and what came of it. Times in milliseconds since 1970. */
export interface CrewCommand {
  type: 'bump' | 'recall';
  orderId: string;
  round: number;
  sentAt: number;
  answeredAt: number;
  /** `unknown` when no answer came. */
  outcome: 'done' | 'refused' | 'unknown';
}

export interface Crew {
  /** Tickets it has bumped. */
  readonly bumped: number;
  /** Open tickets of all stores, as the display says; `undefined` before it said anything. */
  readonly open: number | undefined;
  close(): void;
}

interface Due {
  type: 'bump' | 'recall';
  ticket: TicketView;
}

/** Below the number of commands that the display takes from one screen without an answer. */
const UNANSWERED_MAX = 16;
const RECONNECT_MS = 500;
const REFRESH_MS = 1_000;

/** A kitchen crew at the display of the whole chain: it sends over the WebSocket what a cook taps on the screen. */
export function startCrew(options: CrewOptions): Crew {
  const { display, token, cookingMs, recallShare = 0, refreshMs = REFRESH_MS, random, onTicket, onCommand } = options;
  const live = new URL('/live', display);
  live.protocol = live.protocol === 'https:' ? 'wss:' : 'ws:';
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  /** Open tickets it knows of, with the timer until they are done. */
  const cooking = new Map<string, { ticket: TicketView; timer: NodeJS.Timeout | undefined }>();
  const due: Due[] = [];
  const unanswered = new Map<number, Due & { sentAt: number }>();
  /** Orders for which the crew has decided whether they are recalled. */
  const decided = new Set<string>();
  let socket: WebSocket | undefined;
  let reconnect: NodeJS.Timeout | undefined;
  let lastId = 0;
  let bumped = 0;
  let open: number | undefined;
  let closed = false;

  const send = (message: ClientMessage) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };

  function tell(): void {
    while (due.length > 0 && unanswered.size < UNANSWERED_MAX && socket?.readyState === WebSocket.OPEN) {
      const { type, ticket } = due.shift() as Due;
      unanswered.set(++lastId, { type, ticket, sentAt: Date.now() });
      send({ id: lastId, type, orderId: ticket.orderId, round: ticket.round });
    }
  }

  function see(ticket: TicketView): void {
    onTicket?.(ticket);
    const known = cooking.get(ticket.orderId);
    if (ticket.state === 'cooked') {
      clearTimeout(known?.timer);
      cooking.delete(ticket.orderId);
      if (comesBack(ticket)) {
        due.push({ type: 'recall', ticket });
        tell();
      }
    } else if (cookingMs === undefined) {
      return;
    } else if (known === undefined || known.ticket.round < ticket.round) {
      clearTimeout(known?.timer);
      const [from, to] = cookingMs;
      const timer = setTimeout(
        () => {
          due.push({ type: 'bump', ticket });
          tell();
        },
        from + random.next() * (to - from),
      );
      cooking.set(ticket.orderId, { ticket, timer });
    }
  }

  function comesBack({ orderId, round }: TicketView): boolean {
    if (recallShare === 0 || round > 1 || decided.has(orderId)) return false;
    decided.add(orderId);
    return random.chance(recallShare);
  }

  function report({ type, ticket, sentAt }: Due & { sentAt: number }, outcome: CrewCommand['outcome']): void {
    onCommand?.({ type, orderId: ticket.orderId, round: ticket.round, sentAt, answeredAt: Date.now(), outcome });
  }

  function answered(id: number, outcome: 'done' | 'moved on' | 'again'): void {
    const command = unanswered.get(id);
    unanswered.delete(id);
    if (command === undefined) return;
    const { type, ticket } = command;
    report(command, outcome === 'done' ? 'done' : outcome === 'again' ? 'unknown' : 'refused');
    if (type === 'bump') {
      cooking.delete(ticket.orderId);
      if (outcome === 'done') bumped++;
    }
    if (outcome === 'again') setTimeout(() => !closed && repeat(command), REFRESH_MS);
    tell();
  }

  function repeat({ type, ticket }: Due): void {
    if (type === 'bump') see(ticket);
    else {
      due.push({ type, ticket });
      tell();
    }
  }

  function receive(message: ServerMessage): void {
    switch (message.type) {
      case 'snapshot':
        open = message.open;
        for (const ticket of message.tickets) see(ticket);
        break;
      case 'tickets':
        for (const ticket of message.tickets) see(ticket);
        break;
      case 'beat':
        open = message.open ?? open;
        break;
      case 'done':
        answered(message.id, 'done');
        break;
      case 'error':
        // Another screen was faster, or the store is down: the display's next message about the ticket decides.
        if (message.id !== null)
          answered(message.id, message.problem.code === 'ticket-moved-on' ? 'moved on' : 'again');
        break;
      default:
    }
  }

  function connect(): void {
    // Node's WebSocket takes headers, which the type of browsers does not know.
    socket = new WebSocket(live, { headers } as never);
    const own = socket;
    socket.addEventListener('message', ({ data }) => {
      try {
        receive(JSON.parse(String(data)) as ServerMessage);
      } catch {
        // Not a message of the display: the snapshot of the next connection has its content.
        own.close();
      }
    });
    // A close follows each error.
    socket.addEventListener('error', () => {});
    socket.addEventListener('close', () => {
      for (const command of unanswered.values()) {
        report(command, 'unknown');
        due.push(command);
      }
      unanswered.clear();
      if (!closed) reconnect = setTimeout(connect, RECONNECT_MS);
    });
    socket.addEventListener('open', tell);
  }

  connect();
  // The page of the chain shows the newest tickets only: what is left comes into view when the rest is done.
  const refresh = setInterval(() => {
    if (cookingMs !== undefined && cooking.size === 0 && open !== 0) send({ type: 'refresh' });
  }, refreshMs);
  return {
    get bumped() {
      return bumped;
    },
    get open() {
      return open;
    },
    close() {
      closed = true;
      clearInterval(refresh);
      clearTimeout(reconnect);
      for (const { timer } of cooking.values()) clearTimeout(timer);
      socket?.close();
    },
  };
}
