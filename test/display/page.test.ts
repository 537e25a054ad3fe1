import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TicketState, TicketView } from '../../display/messages.ts';
import { isKnownHost, isSameOrigin } from '../../display/origin.ts';
import { ageLevel, formatElapsed, ticketNumber } from '../../display/page/age.ts';
import { failureWords } from '../../display/page/failure-words.ts';
import { type Sight, wordsFor } from '../../display/page/sight.ts';
import { arrange, Slots } from '../../display/page/slots.ts';
import { TicketList } from '../../display/page/ticket-list.ts';

const ticket = (orderId: string, since = 0, state: TicketState = 'open', round = 1): TicketView => ({
  orderId,
  storeId: 's',
  channel: 'pos',
  state,
  round,
  since,
  lines: [],
});
const limits = { openMax: 100, bumpedMax: 3, keep: 'oldest' } as const;
const ids = (tickets: readonly TicketView[]) => tickets.map(({ orderId }) => orderId).join('');

describe('age', () => {
  test('reads as a kitchen clock', () => {
    const shown = [-5, 0, 59_999, 60_000, 3_599_999, 3_600_000, 360_000_000].map(formatElapsed);
    expect(shown).toEqual(['0:00', '0:00', '0:59', '1:00', '59:59', '1h 00', '4d']);
  });

  test('changes exactly at its thresholds', () => {
    const settings = { dueAfterMs: 100, lateAfterMs: 200 };
    expect([0, 99, 100, 199, 200].map((age) => ageLevel(age, settings))).toEqual([
      'fresh',
      'fresh',
      'due',
      'due',
      'late',
    ]);
  });

  test('calls an order by its last four characters', () => {
    const orderId = '0192f1c2-7c1a-7cc0-8000-00000000a3f2';
    expect(ticketNumber({ orderId })).toBe('A3F2');
    expect(ticketNumber({ orderId, number: 'A27' })).toBe('A27');
  });
});

describe('ticket list', () => {
  test('has the same tickets in whatever order and however often messages come', () => {
    const states: TicketState[] = ['open', 'cooking', 'cooked'];
    const changes = [1, 2].flatMap((round) => states.map((state) => ticket('a', 0, state, round)));
    fc.assert(
      fc.property(fc.shuffledSubarray([...changes, ...changes], { minLength: 1 }), (messages) => {
        const list = new TicketList(limits);
        for (const message of messages) list.apply([message]);
        const latest = [...messages]
          .sort((a, b) => a.round - b.round || states.indexOf(a.state) - states.indexOf(b.state))
          .at(-1);
        expect(list.get('a') ?? list.bumped()[0]).toEqual(latest);
        expect(list.openCount + list.bumped().length).toBe(1);
      }),
    );
  });

  test('says which tickets are new on the board: new ones and those taken back', () => {
    const list = new TicketList(limits);
    expect(ids(list.apply([ticket('b', 2), ticket('a', 1)]))).toBe('ab');
    expect(ids(list.apply([ticket('a', 1, 'cooking')]))).toBe('');
    list.apply([ticket('a', 1, 'cooked')]);
    expect(ids(list.apply([ticket('a', 1, 'open', 2)]))).toBe('a');
    expect(list.bumped()).toEqual([]);
  });

  test('stays within its limits and keeps the wanted end', () => {
    const all = Array.from('abcdef', (id, index) => ticket(id, index));
    const oldest = new TicketList({ ...limits, openMax: 2 });
    const newest = new TicketList({ ...limits, openMax: 2, keep: 'newest' });
    for (const list of [oldest, newest]) list.apply(all);
    expect([ids(oldest.open()), ids(newest.open())]).toEqual(['ab', 'ef']);
    oldest.apply(all.map((it) => ({ ...it, state: 'cooked' })));
    expect(ids(oldest.bumped())).toBe('fed');
  });

  test('says that it leaves tickets out after a capped snapshot, until a whole one comes', () => {
    const [a, b, c] = [ticket('a', 1), ticket('b', 2), ticket('c', 3)];
    const list = new TicketList(limits);
    list.replaceAll([a, b], [], 3);
    expect(list.leavesOut).toBe(true);
    list.apply([{ ...a, state: 'cooked' }]);
    expect(list.leavesOut).toBe(true);
    list.replaceAll([b, c], [], 2);
    expect(list.leavesOut).toBe(false);
  });

  test('says that it leaves tickets out after it dropped one', () => {
    const [a, b, c] = [ticket('a', 1), ticket('b', 2), ticket('c', 3)];
    const list = new TicketList({ ...limits, openMax: 2 });
    list.apply([a, b]);
    expect(list.leavesOut).toBe(false);
    list.apply([c]);
    expect(list.leavesOut).toBe(true);
  });
});

describe('slots', () => {
  test('keep the place of a ticket that left until it is closed up', () => {
    const slots = new Slots();
    const [a, b, c] = [ticket('a', 1), ticket('b', 2), ticket('c', 3)];
    slots.update([a, b, c], 0);
    slots.update([a, c], 1_000);
    expect(slots.all.map(({ ticket: it, leftAt }) => [it.orderId, leftAt])).toEqual([
      ['a', undefined],
      ['b', 1_000],
      ['c', undefined],
    ]);
    expect(slots.closeUp(3_000, false)).toBe(false);
    expect(slots.closeUp(3_500, false)).toBe(true);
    expect(ids(slots.all.map((slot) => slot.ticket))).toBe('ac');
    slots.update([a, b, c], 4_000);
    expect(ids(slots.all.map((slot) => slot.ticket))).toBe('abc');
  });

  test('close up sooner while tickets wait beyond the edge', () => {
    const slots = new Slots();
    const [a, b] = [ticket('a', 1), ticket('b', 2)];
    slots.update([a, b], 0);
    slots.update([b], 1_000);
    expect(slots.closeUp(1_700, true)).toBe(false);
    expect(slots.closeUp(1_900, false)).toBe(false);
    expect(slots.closeUp(1_900, true)).toBe(true);
    expect(ids(slots.all.map((slot) => slot.ticket))).toBe('b');
  });

  test('that are empty do not hide a ticket', () => {
    const slots = new Slots();
    const [a, b, c, d] = [ticket('a', 1), ticket('b', 2), ticket('c', 3), ticket('d', 4)];
    slots.update([a, b, c, d], 0);
    slots.update([b, c, d], 1_000);
    expect(ids(slots.first(2).map((slot) => slot.ticket))).toBe('abc');
    expect(ids(slots.first(3).map((slot) => slot.ticket))).toBe('abcd');
    expect(ids(slots.first(9).map((slot) => slot.ticket))).toBe('abcd');
  });

  test('are in columns without overlap, in order, each within its column', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 })), fc.integer({ min: 1, max: 24 }), (spans, rows) => {
        let end = { column: 0, row: 0 };
        arrange(spans, rows).forEach((place, index) => {
          expect(place.span).toBeGreaterThanOrEqual(Math.min(spans[index] ?? 0, rows));
          expect(place.row + place.span).toBeLessThanOrEqual(rows);
          const follows =
            place.column === end.column ? place.row === end.row : place.column === end.column + 1 && place.row === 0;
          expect(follows).toBe(true);
          end = { column: place.column, row: place.row + place.span };
        });
      }),
    );
  });
});

describe('origin', () => {
  test('is ours only if the page came from the same host', () => {
    expect(isSameOrigin('', 'localhost:8090')).toBe(true);
    expect(isSameOrigin('http://localhost:8090', 'localhost:8090')).toBe(true);
    expect(isSameOrigin('https://kds.example', 'kds.example')).toBe(true);
    for (const origin of [
      'http://localhost:8091',
      'http://evil.example',
      'null',
      'file://localhost:8090',
      'http://localhost:8090.evil.example',
    ])
      expect(isSameOrigin(origin, 'localhost:8090')).toBe(false);
  });

  test('accepts no foreign host name while it listens on loopback', () => {
    for (const host of ['localhost:8090', '127.0.0.1:8090', '[::1]:8090'])
      expect(isKnownHost(host, '127.0.0.1')).toBe(true);
    for (const host of ['evil.example', 'localhost.evil.example:8090', ''])
      expect(isKnownHost(host, '127.0.0.1')).toBe(false);
    expect(isKnownHost('kds.example', '0.0.0.0')).toBe(true);
  });
});

describe('the status text of a screen', () => {
  const good: Sight = { line: 'live', hasTickets: true, since: 0, heardAt: 0, database: 'up', region: 'up' };
  const since = new Date(2026, 10, 22, 12, 3, 10).getTime();

  test('says Live only while every change gets to it', () => {
    expect(wordsFor(good, 0)).toEqual({ line: 'live', word: 'Live', banner: '', isStale: false });
    const flaws: Partial<Sight>[] = [
      { line: 'lost' },
      { line: 'connecting' },
      { hasTickets: false },
      { database: 'down' },
      { region: 'down' },
      { stale: { why: 'tickets', since } },
      { stale: { why: 'pipeline', since } },
    ];
    for (const flaw of flaws) {
      const { line, word } = wordsFor({ ...good, ...flaw }, 1_000);
      expect(line).not.toBe('live');
      expect(word).not.toBe('Live');
    }
  });

  test('says when there is no connection, or when no tickets come', () => {
    for (const flaw of [{ line: 'connecting' }, { hasTickets: false }] satisfies Partial<Sight>[]) {
      expect(wordsFor({ ...good, ...flaw }, 9_999)).toMatchObject({ word: 'Connecting', banner: '' });
      expect(wordsFor({ ...good, ...flaw }, 75_000)).toMatchObject({
        word: 'Connecting',
        banner: expect.stringMatching(/display service.* for 1:15, trying again\. New orders are safe/),
      });
    }
  });

  test('is not up to date rather than connecting while the server cannot read the tickets of the screen', () => {
    const words = wordsFor({ ...good, hasTickets: false, stale: { why: 'tickets', since } }, 0);
    expect(words).toMatchObject({ word: 'Not up to date', isStale: true });
  });

  test('says "not bumped" only when that is known', () => {
    const ticket = { orderId: '0192f1c2-7c1a-7cc0-8000-00000000a3f2' };
    const message = 'No answer from the server';
    expect(failureWords('bump', ticket, { message, isUnknown: false })).toMatch(/^Ticket A3F2 not bumped\. No answer/);
    const unknown = failureWords('bump', ticket, { message, isUnknown: true });
    expect(unknown).toBe('Ticket A3F2 not known to be bumped. No answer from the server.');
  });

  test('says since when it is not up to date, and what the crew can rely on', () => {
    const { word, banner, isStale } = wordsFor({ ...good, stale: { why: 'tickets', since } }, 0);
    expect([word, isStale]).toEqual(['Not up to date', true]);
    expect(banner).toMatch(/^Not up to date since 12:03:10, trying again\. New orders are safe/);
    const waiting = wordsFor({ ...good, stale: { why: 'pipeline', since } }, 0);
    expect(waiting.banner).toContain('not got through to the kitchen since 12:03:10');
  });
});
