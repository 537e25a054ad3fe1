// Carries out the crew's commands: start, bump, recall. Created by server.ts.

import { randomBytes } from 'node:crypto';
import type { Clock } from '../contracts/clock.ts';
import { type Problem, problem } from '../contracts/errors.ts';
import { type EventType, eventId, type OrderKitchen } from '../contracts/events.ts';
import { eventHeaders } from '../contracts/headers.ts';
import { topics } from '../contracts/topics.ts';
import { KafkaSetupError, type RecordProducer, RecordRefusedError } from '../kafka/index.ts';
import type { Ticket } from '../store/index.ts';
import type { Command, TicketState } from './messages.ts';

interface Transition {
  event: Extract<EventType, 'order.cooking' | 'order.cooked' | 'order.recalled'>;
  from: readonly TicketState[];
  /** The state after the command. A ticket that has this state already needs no second event. */
  to: TicketState;
  /** The number of rounds that the command adds. */
  rounds: 0 | 1;
}

const transitions: Record<Command['type'], Transition> = {
  start: { event: 'order.cooking', from: ['open'], to: 'cooking', rounds: 0 },
  bump: { event: 'order.cooked', from: ['open', 'cooking'], to: 'cooked', rounds: 0 },
  recall: { event: 'order.recalled', from: ['cooked'], to: 'open', rounds: 1 },
};

export interface CrewCommandsOptions {
  read(orderId: string): Promise<Ticket | undefined>;
  producer: RecordProducer;
  clock: Clock;
  topic?: string;
  /** Called with the error when a command fails because of an outage. */
  onOutage(error: Error): void;
  /** Called for each command whose event was stored. */
  onStored(): void;
}

/**
 * Turns commands of the crew into events. The ticket's state in the store decides whether a command is possible; the kitchen actor, which
 * reads the events in their order, decides what they do. Two screens that bump the same ticket write the same event id, so it has one effect.
 */
export class CrewCommands {
  readonly #options: CrewCommandsOptions;

  constructor(options: CrewCommandsOptions) {
    this.#options = options;
  }

  /**
   * Resolves to `undefined` once the event is stored by all in-sync replicas (or was before), else to the reason of the refusal. Never rejects.
   * @param storeId the store whose screen it is; a screen of one store cannot command the tickets of another.
   */
  async run(command: Command, storeId: string | undefined): Promise<Problem | undefined> {
    let ticket: Ticket | undefined;
    try {
      ticket = await this.#options.read(command.orderId);
    } catch (error) {
      this.#options.onOutage(error as Error);
      return problem('tickets-unavailable', 'The ticket store is not answering. The ticket stays as it is; try again.');
    }
    if (ticket === undefined || (storeId !== undefined && ticket.storeId !== storeId))
      return problem('not-found', 'There is no such ticket in this store.');
    const transition = transitions[command.type];
    if (ticket.state === transition.to && ticket.round === command.round + transition.rounds) return undefined;
    if (ticket.round !== command.round || !transition.from.includes(ticket.state))
      return problem('ticket-moved-on', `Another screen was faster: this ticket is ${wordFor(ticket.state)} now.`);
    try {
      await this.#write(transition.event, ticket);
      this.#options.onStored();
    } catch (error) {
      this.#options.onOutage(error as Error);
      return isRefusal(error)
        ? problem(
            'log-unavailable',
            'The order log does not take the event. The ticket stays as it is; try again later.',
          )
        : problem(
            'command-unconfirmed',
            'The order log is not answering. If it has the event, the ticket changes by itself; if not, try again.',
          );
    }
    return undefined;
  }

  #write(type: Transition['event'], ticket: Ticket): Promise<void> {
    const occurredAt = new Date(this.#options.clock.now()).toISOString();
    const event: OrderKitchen = {
      orderId: ticket.orderId,
      storeId: ticket.storeId,
      occurredAt,
      total: ticket.total,
      currency: ticket.currency,
      round: ticket.round,
    };
    return this.#options.producer.send([
      {
        topic: this.#options.topic ?? topics.validatedOrders,
        key: ticket.orderId,
        value: JSON.stringify(event),
        headers: eventHeaders({
          id: eventId(ticket.orderId, type, ticket.round),
          type,
          source: '/ordermesh/display',
          time: occurredAt,
          subject: ticket.orderId,
          traceparent: newTraceparent(),
        }),
      },
    ]);
  }
}

/** Whether Kafka has refused the event. After any other error the event may be stored, now or later. */
function isRefusal(error: unknown): boolean {
  return error instanceof KafkaSetupError || error instanceof RecordRefusedError;
}

function wordFor(state: TicketState): string {
  return { open: 'open', cooking: 'being cooked', cooked: 'bumped' }[state];
}

/** Each command of the crew begins a new trace (W3C Trace Context). */
function newTraceparent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}
