import type { RequestHead } from '../../../lab/chaos/wire/frames.ts';

/** A request that consists of its head; a client without a name sends the length -1. */
export function requestFrame({ apiKey, correlationId, clientId }: RequestHead): Buffer {
  const name = Buffer.from(clientId);
  const frame = Buffer.alloc(14 + name.length);
  frame.writeInt32BE(frame.length - 4, 0);
  frame.writeInt16BE(apiKey, 4);
  frame.writeInt32BE(correlationId, 8);
  frame.writeInt16BE(name.length === 0 ? -1 : name.length, 12);
  name.copy(frame, 14);
  return frame;
}

export function answerFrame(correlationId: number): Buffer {
  const frame = Buffer.alloc(8);
  frame.writeInt32BE(4, 0);
  frame.writeInt32BE(correlationId, 4);
  return frame;
}
