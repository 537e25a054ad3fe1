// Reads the tickets that commands of the crew are about. Created by ticket-board.ts.

import type { Ticket } from '../store/index.ts';

/** Commands that come within this time of a read share the next one. */
const INTERVAL_MS = 10;

interface Waiting {
  orderId: string;
  resolve(ticket: Ticket | undefined): void;
  reject(error: Error): void;
}

/**
 * Reads single tickets for commands, and combines those of many screens. So a rush of bumps makes larger reads instead of more reads, and its
 * events make larger produce requests. After a quiet moment a ticket is read at once.
 */
export class TicketReader {
  readonly #readMany: (orderIds: string[]) => Promise<Ticket[]>;
  #waiting: Waiting[] = [];
  #readAt = Number.NEGATIVE_INFINITY;

  /** @param readMany may answer in any order, and leaves out tickets that do not exist. */
  constructor(readMany: (orderIds: string[]) => Promise<Ticket[]>) {
    this.#readMany = readMany;
  }

  /** The ticket as it is now; `undefined` when it does not exist. @throws the error of the read */
  read(orderId: string): Promise<Ticket | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ orderId, resolve, reject });
      if (this.#waiting.length > 1) return;
      const waitMs = Math.max(0, this.#readAt + INTERVAL_MS - performance.now());
      setTimeout(() => void this.#readWaiting(), waitMs);
    });
  }

  async #readWaiting(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#readAt = performance.now();
    try {
      const tickets = await this.#readMany([...new Set(waiting.map(({ orderId }) => orderId))]);
      const byId = new Map(tickets.map((ticket) => [ticket.orderId, ticket]));
      for (const { orderId, resolve } of waiting) resolve(byId.get(orderId));
    } catch (error) {
      for (const { reject } of waiting) reject(error as Error);
    }
  }
}
