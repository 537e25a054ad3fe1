import type { ClientMessage, ServerMessage, TicketView } from '../../display/index.ts';
import type { Random } from '../../traffic/random.ts';

export interface CrewOptions {
  /** Base address of the kitchen display. */
  display: URL;
  /** How long a ticket is on the board before it is bumped, in milliseconds. Absent: the crew only watches. */
  cookingMs?: readonly [from: number, to: number] | undefined;
  random: Random;
  /** Each ticket that the display shows, every time it does. */
  onTicket?(ticket: TicketView): void;
}

export interface Crew {
  /** Tickets it has bumped. */
  readonly bumped: number;
  /** Open tickets of all stores, as the display says; `undefined` before it said anything. */
  readonly open: number | undefined;
  close(): void;
}

/** Below the number of commands that the display takes from one screen without an answer. */
const UNANSWERED_MAX = 16;
const RECONNECT_MS = 500;
const REFRESH_MS = 1_000;

/** A kitchen crew at the display of the whole chain: it does over the WebSocket what cooks do with their fingers. */
export function startCrew({ display, cookingMs, random, onTicket }: CrewOptions): Crew {
  const live = new URL('/live', display);
  live.protocol = 'ws:';
  /** Open tickets it knows of, with the timer until they are done. */
  const cooking = new Map<string, { ticket: TicketView; timer: NodeJS.Timeout | undefined }>();
  const done: TicketView[] = [];
  const unanswered = new Map<number, TicketView>();
  let socket: WebSocket | undefined;
  let reconnect: NodeJS.Timeout | undefined;
  let lastId = 0;
  let bumped = 0;
  let open: number | undefined;
  let closed = false;

  const send = (message: ClientMessage) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };

  function bump(): void {
    while (done.length > 0 && unanswered.size < UNANSWERED_MAX && socket?.readyState === WebSocket.OPEN) {
      const ticket = done.shift() as TicketView;
      unanswered.set(++lastId, ticket);
      send({ id: lastId, type: 'bump', orderId: ticket.orderId, round: ticket.round });
    }
  }

  function see(ticket: TicketView): void {
    onTicket?.(ticket);
    const known = cooking.get(ticket.orderId);
    if (ticket.state === 'cooked') {
      clearTimeout(known?.timer);
      cooking.delete(ticket.orderId);
    } else if (cookingMs === undefined) {
      return;
    } else if (known === undefined || known.ticket.round < ticket.round) {
      clearTimeout(known?.timer);
      const [from, to] = cookingMs;
      const timer = setTimeout(
        () => {
          done.push(ticket);
          bump();
        },
        from + random.next() * (to - from),
      );
      cooking.set(ticket.orderId, { ticket, timer });
    }
  }

  function answered(id: number, outcome: 'bumped' | 'moved on' | 'again'): void {
    const ticket = unanswered.get(id);
    unanswered.delete(id);
    if (ticket === undefined) return;
    cooking.delete(ticket.orderId);
    if (outcome === 'bumped') bumped++;
    else if (outcome === 'again') setTimeout(() => !closed && see(ticket), REFRESH_MS);
    bump();
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
        answered(message.id, 'bumped');
        break;
      case 'error':
        // Another screen was faster, or the store is down: the display's next word on the ticket decides.
        if (message.id !== null)
          answered(message.id, message.problem.code === 'ticket-moved-on' ? 'moved on' : 'again');
        break;
      default:
    }
  }

  function connect(): void {
    socket = new WebSocket(live);
    socket.addEventListener('message', ({ data }) => receive(JSON.parse(String(data)) as ServerMessage));
    socket.addEventListener('error', () => {});
    socket.addEventListener('close', () => {
      for (const ticket of unanswered.values()) done.push(ticket);
      unanswered.clear();
      if (!closed) reconnect = setTimeout(connect, RECONNECT_MS);
    });
    socket.addEventListener('open', bump);
  }

  connect();
  // The page of the chain shows the newest tickets only: what is left comes into view when the rest is done.
  const refresh = setInterval(() => {
    if (cookingMs !== undefined && cooking.size === 0 && open !== 0) send({ type: 'refresh' });
  }, REFRESH_MS);
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
