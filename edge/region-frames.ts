// Reads the WebSocket frames of the region. Used by region-display.ts and status-relay.ts.

import type { Logger } from '../telemetry/logger.ts';
import { StateLog } from '../telemetry/state-log.ts';

/** Frames since the agent started that the region's servers cannot have sent. */
export const frameCounts = { bad: 0 };

/**
 * Reads WebSocket frames of the region. A captive portal or a proxy may send the frames instead, and a listener that throws would end the agent.
 * So a frame that is not a message of the region, or that the agent does not understand, is counted and logged once, and the caller reconnects.
 */
export class RegionFrames<Message extends { type: string }> {
  readonly #from: string;
  readonly #states: StateLog;

  /** @param from the sender for log lines, such as "the region's display" */
  constructor(from: string, logger: Logger) {
    this.#from = from;
    this.#states = new StateLog(logger);
  }

  /** @returns false for a frame that could not be used */
  use(text: string, handle: (message: Message) => void): boolean {
    try {
      handle(messageOf(text) as Message);
      this.#states.end('bad', `${this.#from} sends messages again`);
      return true;
    } catch (error) {
      frameCounts.bad++;
      this.#states.begin('bad', `${this.#from} sends an invalid message; connecting again`, {
        reason: (error as Error).message,
        frame: text.slice(0, 200),
      });
      return false;
    }
  }
}

function messageOf(text: string): { type: string } {
  const message: unknown = JSON.parse(text);
  if (typeof message !== 'object' || message === null || !('type' in message) || typeof message.type !== 'string')
    throw new Error('it is no object with a type');
  return message as { type: string };
}
