import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KitchenEventType, nextPosition } from '../../actors/kitchen/ticket-state.ts';
import type { TicketPosition, TicketState } from '../../store/tickets/tickets.ts';

const types: KitchenEventType[] = ['order.cooking', 'order.cooked', 'order.recalled'];

describe('nextPosition', () => {
  test.each<[TicketState, KitchenEventType, number, string]>([
    ['open', 'order.cooking', 2, 'cooking/2'],
    ['open', 'order.cooked', 2, 'cooked/2'],
    ['open', 'order.recalled', 2, 'illegal'],
    ['cooking', 'order.cooking', 2, 'repeated'],
    ['cooking', 'order.cooked', 2, 'cooked/2'],
    ['cooking', 'order.recalled', 2, 'illegal'],
    ['cooked', 'order.cooking', 2, 'repeated'],
    ['cooked', 'order.cooked', 2, 'repeated'],
    ['cooked', 'order.recalled', 2, 'open/3'],
    ['open', 'order.cooked', 1, 'repeated'],
    ['open', 'order.recalled', 1, 'repeated'],
    ['cooked', 'order.recalled', 3, 'illegal'],
    ['open', 'order.cooking', 3, 'illegal'],
  ])('%s in round 2, %s of round %i: %s', (state, type, round, expected) => {
    const transition = nextPosition({ state, round: 2 }, type, round);
    expect(transition.kind === 'moved' ? `${transition.to.state}/${transition.to.round}` : transition.kind).toBe(
      expected,
    );
  });

  test('never goes back, and a repetition of any event changes nothing', () => {
    const rank = ({ state, round }: TicketPosition) => round * 3 + ['open', 'cooking', 'cooked'].indexOf(state);
    const events = fc.array(fc.record({ type: fc.constantFrom(...types), round: fc.integer({ min: 1, max: 4 }) }));
    fc.assert(
      fc.property(events, (log) => {
        let ticket: TicketPosition = { state: 'open', round: 1 };
        for (const { type, round } of log) {
          const transition = nextPosition(ticket, type, round);
          if (transition.kind !== 'moved') continue;
          expect(rank(transition.to)).toBeGreaterThan(rank(ticket));
          ticket = transition.to;
          expect(nextPosition(ticket, type, round).kind).toBe('repeated');
        }
      }),
    );
  });
});
