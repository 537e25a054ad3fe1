/** The door of the edge agent: what other rooms import. */

export { startEdge } from './edge.ts';
export { Upstream } from './forwarder/upstream.ts';
export { ScreenFile, screenFileOf } from './kitchen/screen-file.ts';
export { spoolPathOf } from './settings.ts';
export { oneLine } from './spool/one-line.ts';
export type { SpooledOrder } from './spool/order.ts';
export { Spool } from './spool/spool.ts';
export { type Selection, SpoolVisit } from './spool/visit.ts';
export type { EdgeStatus } from './status.ts';
export { headline, statusRows } from './status-text.ts';
