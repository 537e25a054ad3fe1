// Charges the work on a socket to a stage. Used for the sockets of PostgreSQL and of kafkajs, whose clients tell nothing of it.

import type { Socket } from 'node:net';
import type { Stage } from './stage.ts';
import { type StageClock, threadStages } from './stage-clock.ts';

/**
 * What arrives on the socket puts the thread into `stage`, until another stage begins or the callback ends; writing counts for `stage` too.
 * Call it before the socket has a reader of its own, and add that reader in the same event-loop callback.
 */
export function clocked<S extends Socket>(socket: S, stage: Stage, stages: StageClock = threadStages): S {
  socket.on('data', () => stages.at(stage));
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (...args: unknown[]) => {
    const before = stages.enter(stage);
    try {
      return write(...args);
    } finally {
      stages.leave(before);
    }
  };
  return socket;
}
