import type { Order } from '../../contracts/order/order.ts';
import { TicketNames, type TicketState, type TicketView } from '../../display/index.ts';

/** One order on the store's own board. It is kept on the disk until the order is cooked and the region knows that. */
export interface Entry {
  orderId: string;
  /** The ticket as the agent made it from the order; absent where only the region knew the order. */
  local?: TicketView;
  /** The region's ticket, as last seen; absent until it was seen. */
  region?: TicketView;
  /** The last state to which the crew brought the ticket, and the round. Sent to the region until its ticket has this state. */
  done?: { state: TicketState; round: number };
  /** The region refuses the order, so it is not paid through Ordermesh. */
  refused?: true;
}

const progress: Record<TicketState, number> = { open: 0, cooking: 1, cooked: 2 };

/** The crew's state of this round, if the region's ticket does not have it yet. */
export function undelivered({ region, done }: Entry): 'start' | 'bump' | undefined {
  if (region === undefined || done === undefined || done.round !== region.round) return undefined;
  if (progress[done.state] <= progress[region.state]) return undefined;
  return done.state === 'cooked' ? 'bump' : 'start';
}

/** The ticket for the screen; `undefined` for an entry without a ticket. */
export function viewOf(entry: Entry): TicketView | undefined {
  const { region, local, done, refused } = entry;
  const base = region ?? local;
  if (base === undefined) return undefined;
  const ahead = done !== undefined && done.round === base.round && progress[done.state] > progress[base.state];
  const view: TicketView = { ...base, state: ahead ? done.state : base.state };
  if (region === undefined) view.confirmation = refused ? 'refused' : 'waiting';
  return view;
}

/** Makes a name of a SKU, because only the region has the menu. */
const names = new TicketNames();

export function ticketOf({ orderId, storeId, channel, items }: Order, acceptedAt: number): TicketView {
  return names.view({ orderId, storeId, channel, items, state: 'open', round: 1, paidAt: new Date(acceptedAt) });
}
