import type { Order } from '../../contracts/order/order.ts';
import type { TicketState, TicketView } from '../../display/index.ts';
import { TicketNames } from '../../display/index.ts';

/** One order on the store's own board, as it is kept on the disk until it is cooked and the region knows. */
export interface Entry {
  orderId: string;
  /** The ticket as the agent made it from the order; absent where only the region knew the order. */
  local?: TicketView;
  /** The region's ticket, as it was last seen; absent while it was not. */
  region?: TicketView;
  /** What the crew has done, and in which round; the region is told until it has come as far. */
  done?: { state: TicketState; round: number };
  /** The region refuses the order: it is not paid through Ordermesh. */
  refused?: true;
}

const progress: Record<TicketState, number> = { open: 0, cooking: 1, cooked: 2 };

/** What the crew has done in this round and the region does not have yet. */
export function undelivered({ region, done }: Entry): 'start' | 'bump' | undefined {
  if (region === undefined || done === undefined || done.round !== region.round) return undefined;
  if (progress[done.state] <= progress[region.state]) return undefined;
  return done.state === 'cooked' ? 'bump' : 'start';
}

/** The ticket as the screen shows it; `undefined` for an entry that has none. */
export function viewOf(entry: Entry): TicketView | undefined {
  const { region, local, done, refused } = entry;
  const base = region ?? local;
  if (base === undefined) return undefined;
  const ahead = done !== undefined && done.round === base.round && progress[done.state] > progress[base.state];
  const view: TicketView = { ...base, state: ahead ? done.state : base.state };
  if (region === undefined) view.confirmation = refused ? 'refused' : 'waiting';
  return view;
}

/** The menu is the region's; a SKU reads as words. */
const names = new TicketNames();

export function ticketOf({ orderId, storeId, channel, items }: Order, acceptedAt: number): TicketView {
  return names.view({ orderId, storeId, channel, items, state: 'open', round: 1, paidAt: new Date(acceptedAt) });
}
