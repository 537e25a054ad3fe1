import { type Static, Type } from 'typebox';
import type { Problem } from '../contracts/errors.ts';
import { compileValidator } from '../contracts/validation.ts';

/**
 * The messages between server and page on `/live`, as JSON text frames. The page imports only the types, so the compiler checks both sides
 * against this file.
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
  /** Of a combo. */
  parts?: TicketPart[];
  /** What must not be in it. */
  allergies?: string[];
  note?: string;
}

export type TicketPart = Pick<TicketLine, 'name' | 'quantity' | 'modifiers'>;

/** A ticket as the page shows it. */
export interface TicketView {
  orderId: string;
  storeId: string;
  channel: string;
  /** The number on the receipt; absent where the point of sale gave none. */
  number?: string;
  /** The name that is called out. */
  guest?: string;
  /** Where it goes, as the point of sale named it: `drive-thru`; absent where it named none. */
  fulfilment?: string;
  table?: string;
  /** When the guest was told that it will be ready, in milliseconds since 1970. */
  promisedAt?: number;
  state: TicketState;
  /** Starts at 1 and increases with each recall. */
  round: number;
  /** When the kitchen got the ticket, in milliseconds since 1970; a recall doesn't make the guest's wait shorter. */
  since: number;
  lines: TicketLine[];
  /** Absent for a ticket of the region. On a store's own display: the order has not reached the region, or the region refuses it. */
  confirmation?: 'waiting' | 'refused';
}

/** Open tickets of one store. */
export interface StoreCount {
  storeId: string;
  /** The store's name; its id where the chain gave no name. */
  name: string;
  /** Tickets not yet cooked, those being cooked included. */
  open: number;
  /** When the oldest open ticket came, in milliseconds since 1970; 0 while there is none. */
  oldestSince: number;
}

export interface PageSettings {
  /** Age in milliseconds at which a ticket is due, and at which it is late. */
  dueAfterMs: number;
  lateAfterMs: number;
}

/** Why a screen may be out of date although its connection works. */
export interface Staleness {
  /** `tickets`: notifications of changed tickets do not arrive. `pipeline`: orders wait before the kitchen for too long. */
  why: 'tickets' | 'pipeline';
  /** When this began, in milliseconds since 1970. */
  since: number;
}

export type ServerMessage =
  /** All that this page should show; replaces its earlier content. `tickets` is capped, `open` counts all tickets of the page. */
  | {
      type: 'snapshot';
      now: number;
      settings: PageSettings;
      /** Absent on the page of the chain, and for a store that the chain has not named. */
      storeName?: string;
      /** The menu has no such store, and it has no tickets: an empty board then does not mean that all is done. */
      storeUnknown?: true;
      tickets: TicketView[];
      bumped: TicketView[];
      open: number;
    }
  /** New or changed tickets, in their current state. Cooked tickets leave the board. */
  | { type: 'tickets'; now: number; tickets: TicketView[] }
  /** Open tickets of each store, for the page of the whole chain. */
  | { type: 'counts'; now: number; stores: StoreCount[] }
  /** Sent at least every few seconds, so that a page notices a connection that died without a close. */
  | {
      type: 'beat';
      now: number;
      open: number | null;
      database: 'up' | 'down';
      /** Absent while the screen is up to date. */
      stale?: Staleness;
      /** On a store's own display: the region does not answer. */
      line?: 'down';
    }
  /** The admission of this screen was revoked; the connection ends. */
  | { type: 'removed' }
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

/** Commands of the crew: begin to cook a ticket, send it out, take it back. */
export type Command = Static<typeof commandSchema>;
/** Asks for a new snapshot, when the board has room for tickets that a capped one left out. */
export type Refresh = Static<typeof refreshSchema>;
export type ClientMessage = Command | Refresh;

export const validateCommand = compileValidator(commandSchema);
export const validateRefresh = compileValidator(refreshSchema);
