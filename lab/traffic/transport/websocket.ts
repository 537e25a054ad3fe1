// A stream of orders over a WebSocket, in frames of JSON. Used by transport.ts.

import type { Problem } from '../../../contracts/errors.ts';
import type { OrderStream, StreamEvents } from './streams.ts';
import type { Answer } from './types.ts';

/** Close code of the gateway for credentials that it does not accept, or not any more. */
const UNAUTHENTICATED = 4401;

interface Frame {
  id?: number;
  type: string;
  orderId?: string;
  problem?: Problem;
}

export function openWebSocket(gateway: URL, token: string | undefined, events: StreamEvents): OrderStream {
  const url = new URL('/v1/stream', gateway);
  url.protocol = gateway.protocol === 'https:' ? 'wss:' : 'ws:';
  const bearer = token === undefined ? [] : [`bearer.${token}`];
  const socket = new WebSocket(url, ['ordermesh.v1.json', ...bearer]);
  let early: string[] = [];
  let reason = '';

  socket.addEventListener('open', () => {
    for (const frame of early) socket.send(frame);
    early = [];
  });
  socket.addEventListener('message', ({ data }) => {
    const { id, type, orderId, problem } = JSON.parse(String(data)) as Frame;
    if (type === 'order.accepted' && id !== undefined)
      events.answered(id, { status: 202, body: '', ...(orderId === undefined ? {} : { orderId }) });
    else if (type === 'error' && problem !== undefined) {
      if (id !== undefined) events.answered(id, refusal(problem));
      // Ended credentials come without an id too; the close that follows ends all orders in flight.
      else if (problem.status === 400) events.unreadable(refusal(problem));
    }
  });
  // A close follows each error.
  socket.addEventListener('error', (event) => {
    reason = (event as Event & { message?: string }).message ?? '';
  });
  socket.addEventListener('close', (event) => {
    const detail = event.reason || reason || `the connection was closed (${event.code})`;
    events.ended(
      event.code === UNAUTHENTICATED
        ? { status: 401, body: JSON.stringify({ code: 'unauthenticated', detail }) }
        : new Error(detail),
    );
  });

  return {
    // The order's own bytes, so that the gateway reads what the order's text says, also where that is no order.
    send(id, body) {
      const frame = `{"id":${id},"type":"order.submit","order":${body}}`;
      if (socket.readyState === WebSocket.CONNECTING) early.push(frame);
      else socket.send(frame);
    },
    close: () => socket.close(),
  };
}

function refusal(problem: Problem): Answer {
  const { status, retryAfterS } = problem;
  const body = JSON.stringify(problem);
  return retryAfterS === undefined ? { status, body } : { status, body, retryAfterMs: retryAfterS * 1_000 };
}
