/** The room's door. */
export { type DisplayOptions, startDisplay } from './display.ts';
export type { ClientMessage, Command, ServerMessage, StoreCount, TicketView } from './messages.ts';
