/** The door of the kitchen display: what other rooms import. */

export { runBounded } from './bounded-commands.ts';
export {
  type ClientMessage,
  type Command,
  type ServerMessage,
  type Staleness,
  type StoreCount,
  type TicketState,
  type TicketView,
  validateCommand,
  validateRefresh,
} from './messages.ts';
export { loadPageFiles } from './page-files.ts';
export { startPageServer } from './page-server.ts';
export { ScreenDoor } from './pairing/door.ts';
export { needsPairing } from './pairing/policy.ts';
export type { AdmittedScreen, NewPairing, Pairing, ScreenRegister } from './pairing/register.ts';
export { refusedScreens } from './refused-screens.ts';
export { type Screen, Screens } from './screens.ts';
export { type DisplayOptions, startDisplay } from './server.ts';
export { TicketNames } from './ticket-names.ts';
