import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TicketReader } from '../../display/ticket-reader.ts';
import type { Ticket } from '../../store/tickets/ticket-board.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function open(answer: (orderIds: string[]) => Promise<Ticket[]> = async (orderIds) => orderIds.map(ticket)) {
  const reads: string[][] = [];
  const reader = new TicketReader((orderIds) => {
    reads.push(orderIds);
    return answer(orderIds);
  });
  return { reads, reader };
}

const ticket = (orderId: string) => ({ orderId }) as Ticket;

describe('a reader of tickets', () => {
  test('reads one that comes alone at once, and those that come right behind it together', async () => {
    const { reads, reader } = open();
    const first = reader.read('a');
    await vi.advanceTimersByTimeAsync(0);
    expect(reads).toEqual([['a']]);
    const rest = Promise.all([reader.read('b'), reader.read('c'), reader.read('b')]);
    await vi.advanceTimersByTimeAsync(9);
    expect(reads).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(reads).toEqual([['a'], ['b', 'c']]);
    expect(await first).toEqual(ticket('a'));
    expect(await rest).toEqual([ticket('b'), ticket('c'), ticket('b')]);
  });

  test('answers undefined for an unknown ticket', async () => {
    const { reader } = open(async () => [ticket('there')]);
    const both = Promise.all([reader.read('there'), reader.read('not')]);
    await vi.advanceTimersByTimeAsync(0);
    expect(await both).toEqual([ticket('there'), undefined]);
  });

  test('fails all of a read that fails, and none of the next', async () => {
    let down = true;
    const { reader } = open(async (orderIds) => {
      if (down) throw new Error('the store is down');
      return orderIds.map(ticket);
    });
    const failed = Promise.allSettled([reader.read('a'), reader.read('b')]);
    await vi.advanceTimersByTimeAsync(0);
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    down = false;
    const next = reader.read('a');
    await vi.advanceTimersByTimeAsync(10);
    expect(await next).toEqual(ticket('a'));
  });
});
