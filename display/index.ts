/** The room's door. */

export type { ClientMessage, Command, ServerMessage, StoreCount, TicketView } from './messages.ts';
export { type DisplayOptions, startDisplay } from './server.ts';
