// Passes Kafka messages between a client and a broker, but for lost answers. Called by wire.ts for each connection.

import type { Socket } from 'node:net';
import { answeredRequest, FrameCutter, type RequestHead, requestHead } from './frames.ts';
import type { Loss } from './losses.ts';

export interface ConnectionOptions {
  client: Socket;
  broker: Socket;
  /** The loss that this request meets. */
  lossOf(head: RequestHead): Loss | undefined;
}

/** Joins a client and a broker. Messages pass whole and in their order; an answer that is to be lost does not. */
export function joinSockets({ client, broker, lossOf }: ConnectionOptions): void {
  /** By the number that the client gave the request. */
  const doomed = new Map<number, Loss>();
  /** The late answers and those behind them: a connection keeps its order. */
  let held: { frames: Buffer[]; losses: Loss[]; timer: NodeJS.Timeout } | undefined;

  const hold = (lateMs: number) => {
    const timer = setTimeout(() => {
      const { frames = [], losses = [] } = held ?? {};
      held = undefined;
      for (const frame of frames) pass(frame, broker, client);
      for (const loss of losses) loss.end();
    }, lateMs);
    return { frames: [], losses: [], timer };
  };

  onFrames(client, (frame) => {
    const head = requestHead(frame);
    const loss = lossOf(head);
    if (loss !== undefined) doomed.set(head.correlationId, loss);
    pass(frame, client, broker);
  });
  onFrames(broker, (frame) => {
    const request = answeredRequest(frame);
    const loss = doomed.get(request);
    doomed.delete(request);
    switch (loss?.lost.how) {
      case 'closed':
        client.destroy();
        return loss.end();
      case 'swallowed':
        return loss.end();
      case 'late':
        held ??= hold(loss.lost.lateMs);
        held.losses.push(loss);
    }
    if (held === undefined) pass(frame, broker, client);
    else held.frames.push(frame);
  });
  const end = () => {
    clearTimeout(held?.timer);
    // These answers went down with their connection.
    for (const loss of [...doomed.values(), ...(held?.losses ?? [])]) loss.end();
    doomed.clear();
    held = undefined;
    client.destroySoon();
    broker.destroySoon();
  };
  for (const socket of [client, broker]) {
    socket.setNoDelay(true);
    // The other side learns of the failure by the end of its connection.
    socket.on('error', () => {});
    socket.on('close', end);
  }
}

function onFrames(socket: Socket, onFrame: (frame: Buffer) => void): void {
  const cutter = new FrameCutter();
  socket.on('data', (piece: Buffer) => {
    try {
      cutter.push(piece, onFrame);
    } catch (error) {
      socket.destroy(error as Error);
    }
  });
}

/** A side that does not read stops the other from being read. */
function pass(frame: Buffer, from: Socket, to: Socket): void {
  if (to.destroyed || to.write(frame) || from.isPaused()) return;
  from.pause();
  to.once('drain', () => from.resume());
}
