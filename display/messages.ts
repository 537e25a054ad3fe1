import { type Static, Type } from 'typebox';
import type { Problem } from '../contracts/errors.ts';
import { compileValidator } from '../contracts/validation.ts';

/**
 * What server and page say to each other over `/live`, as JSON text frames. The page imports the types alone, so both sides are
 * checked against this one file.
 */

export type TicketState = 'open' | 'cooking' | 'cooked';

export interface TicketModifier {
  name: string;
  quantity: number;
  /** A crew reads "no onions" and "extra cheese" differently, so the page shows them differently. */
  kind: 'add' | 'remove';
}

export interface TicketLine {
  name: string;
  quantity: number;
  modifiers: TicketModifier[];
  note?: string;
}

/** A ticket as the page shows it. */
export interface TicketView {
  orderId: string;
  storeId: string;
  channel: string;
  state: TicketState;
  /** Counts from 1 and goes up with every recall. */
  round: number;
  /** When the kitchen got the ticket, in milliseconds since the epoch; a recall doesn't make the guest's wait shorter. */
  since: number;
  lines: TicketLine[];
  /** Absent for a ticket of the region. On a store's own display: the order has not reached the region, or the region refuses it. */
  confirmation?: 'waiting' | 'refused';
}

/** Open tickets of one store. */
export interface StoreCount {
  storeId: string;
  /** What people call it; the id where the chain gave no name. */
  name: string;
  /** Tickets not yet cooked, those being cooked included. */
  open: number;
  /** When the oldest of them came, in milliseconds since the epoch; 0 while there is none. */
  oldestSince: number;
}

export interface PageSettings {
  /** Age in milliseconds at which a ticket is due, and at which it is late. */
  dueAfterMs: number;
  lateAfterMs: number;
}

/** What a screen shows may be behind what there is, although its connection works. */
export interface Staleness {
  /** `tickets`: changed tickets are not heard of. `pipeline`: orders wait before the kitchen for too long. */
  why: 'tickets' | 'pipeline';
  /** Since when, in milliseconds since the epoch. */
  since: number;
}

export type ServerMessage =
  /** Everything this page should show; replaces what it had. `tickets` is capped, `open` counts all of the page's tickets. */
  | {
      type: 'snapshot';
      now: number;
      settings: PageSettings;
      /** Absent on the page of the chain, and for a store that the chain has not named. */
      storeName?: string;
      /** There is no such store on the menu, and no ticket of it: an empty board means nothing. */
      storeUnknown?: true;
      tickets: TicketView[];
      bumped: TicketView[];
      open: number;
    }
  /** New or changed tickets, in their current state. Those cooked leave the board. */
  | { type: 'tickets'; now: number; tickets: TicketView[] }
  /** Open tickets of each store, for the page of the whole chain. */
  | { type: 'counts'; now: number; stores: StoreCount[] }
  /** Sent at least every few seconds, so that a page notices a connection that died without a word. */
  | {
      type: 'beat';
      now: number;
      open: number | null;
      database: 'up' | 'down';
      /** Absent while everything there is is shown. */
      stale?: Staleness;
      /** On a store's own display: the region does not answer. */
      line?: 'down';
    }
  | { type: 'done'; id: number }
  | { type: 'error'; id: number | null; problem: Problem };

const commandSchema = Type.Object(
  {
    id: Type.Integer({ minimum: 0, description: 'Comes back in the answer.' }),
    type: Type.Enum(['start', 'bump', 'recall']),
    orderId: Type.String({ format: 'uuid' }),
    round: Type.Integer({ minimum: 1, description: 'The round the page shows; a ticket that moved on is refused.' }),
  },
  { additionalProperties: false },
);

const refreshSchema = Type.Object({ type: Type.Enum(['refresh']) }, { additionalProperties: false });

/** What the crew does with a ticket: begin to cook it, send it out, take it back. */
export type Command = Static<typeof commandSchema>;
/** Asks for a new snapshot, when the board has room for tickets that a capped one left out. */
export type Refresh = Static<typeof refreshSchema>;
export type ClientMessage = Command | Refresh;

export const validateCommand = compileValidator(commandSchema);
export const validateRefresh = compileValidator(refreshSchema);
