// Finds the records of an order that stand in the wrong order. Called by judge-order.ts.

import type { EventTrace, Trail } from './trail.ts';

/** What must have happened before an event of that type and round can: at least one of these. */
function causes({ type, round }: EventTrace): string[] {
  switch (type) {
    case 'order.payment-failed':
    case 'order.paid':
      return ['order.validated/1'];
    case 'order.cooking':
    case 'order.cooked':
      return round === 1 ? ['order.paid/1'] : [`order.recalled/${round - 1}`];
    case 'order.recalled':
      return [`order.cooked/${round}`, `order.cooking/${round}`, ...(round === 1 ? ['order.paid/1'] : [])];
    default:
      return [];
  }
}

/**
 * Every way in which the records of one order stand in the wrong order: an event before what must come before it, an order spread over
 * partitions, dead letters that overtook each other. Repeats do not count: the first record of an event is the event.
 */
export function* disorderOf(trail: Trail): Generator<string> {
  const inLog = [...trail.events.values()]
    .filter(({ type }) => type !== 'order.rejected' && type !== 'order.conflicting')
    .sort((a, b) => a.offset - b.offset);
  const [first] = inLog;
  const seen = new Set<string>();
  for (const event of inLog) {
    if (first !== undefined && event.partition !== first.partition) {
      yield `${event.type} is in partition ${event.partition}, ${first.type} in partition ${first.partition}`;
      return;
    }
    const needed = causes(event);
    if (needed.length > 0 && !needed.some((cause) => seen.has(cause))) {
      yield `${event.type} (round ${event.round}) at partition ${event.partition} offset ${event.offset} comes before ${needed.map((cause) => cause.split('/', 1)[0]).join(' or ')}`;
    }
    seen.add(`${event.type}/${event.round}`);
  }
  for (const [topic, origins] of trail.parked) {
    for (const [index, origin] of origins.entries()) {
      const before = origins[index - 1];
      // Offsets of different logs, as before and after a failover, do not compare.
      if (before === undefined || before.partition !== origin.partition || before.log !== origin.log) continue;
      if (before.offset > origin.offset) {
        yield `${topic} holds offset ${before.offset} before offset ${origin.offset}`;
      }
    }
  }
}
