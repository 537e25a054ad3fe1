/** The room's door. */

export type { ClientMessage, Command, ServerMessage, Staleness, StoreCount, TicketView } from './messages.ts';
export { type DisplayOptions, startDisplay } from './server.ts';
