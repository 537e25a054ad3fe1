import { describe, expect, test } from 'vitest';
import type { TicketView } from '../../display/messages.ts';
import { Board, type Changes } from '../../edge/kitchen/board.ts';
import type { Entry } from '../../edge/kitchen/entry.ts';
import { newOrder } from './order.ts';

const PATIENCE_MS = 1_000;

class TestBoard {
  nowMs = 0;
  readonly disk = new Map<string, Entry>();
  readonly commands: Changes['commands'] = [];
  board: Board;

  constructor() {
    this.board = this.#make();
  }

  restart(): void {
    this.board = this.#make();
  }

  /** Applies the changes of a step, as the agent does. */
  after(changes: Changes | undefined): Changes {
    if (changes === undefined) throw new Error('the step was refused');
    for (const entry of changes.kept) this.disk.set(entry.orderId, structuredClone(entry));
    for (const orderId of changes.dropped) this.disk.delete(orderId);
    this.commands.push(...changes.commands);
    return changes;
  }

  tick(ms: number, forwards = true): Changes {
    this.nowMs += ms;
    return this.after(this.board.tick(forwards));
  }

  #make(): Board {
    const options = {
      mayCook: ({ payment }: { payment: { method: string } }) => payment.method === 'cash',
      patienceMs: PATIENCE_MS,
      now: () => this.nowMs,
    };
    return new Board(options, [...this.disk.values()]);
  }
}

function ticket(orderId: string, changes: Partial<TicketView> = {}): TicketView {
  return { orderId, storeId: 'us-il-0001', channel: 'pos', state: 'open', round: 1, since: 1, lines: [], ...changes };
}

const shown = (test: TestBoard) =>
  test.board.open.map(({ orderId, state, confirmation }) => ({ orderId, state, confirmation }));

/** A board whose line has been down for longer than `PATIENCE_MS`. */
function cutOff(): TestBoard {
  const test = new TestBoard();
  test.after(test.board.snapshot([], [], true));
  test.board.sees(false);
  test.tick(PATIENCE_MS);
  return test;
}

describe('with the line up', () => {
  test('shows what the region shows, and nothing of its own', () => {
    const test = new TestBoard();
    const order = newOrder();
    test.board.taken(order, 1);
    test.after(test.board.snapshot([ticket('a')], [], true));
    test.tick(10 * PATIENCE_MS);
    expect(shown(test)).toEqual([{ orderId: 'a', state: 'open', confirmation: undefined }]);
    expect(test.board.unexplained).toEqual([order.orderId]);
  });

  test('sends each command of the crew to the region at once, and only once', () => {
    const test = new TestBoard();
    test.after(test.board.snapshot([ticket('a')], [], true));
    test.after(test.board.act({ type: 'start', orderId: 'a', round: 1 }));
    test.tick(1);
    expect(test.commands).toEqual([{ type: 'start', orderId: 'a', round: 1 }]);
    test.after(test.board.changed([ticket('a', { state: 'cooking' })]));
    test.after(test.board.act({ type: 'bump', orderId: 'a', round: 1 }));
    test.after(test.board.changed([ticket('a', { state: 'cooked' })]));
    expect(test.commands.map(({ type }) => type)).toEqual(['start', 'bump']);
    expect(test.disk.size).toBe(0);
    expect(test.board.bumped.map(({ orderId }) => orderId)).toEqual(['a']);
  });

  test('shows a recalled ticket again, in its new round', () => {
    const test = new TestBoard();
    test.after(test.board.snapshot([ticket('a')], [], true));
    test.after(test.board.act({ type: 'bump', orderId: 'a', round: 1 }));
    test.after(test.board.changed([ticket('a', { state: 'cooked' })]));
    test.after(test.board.changed([ticket('a', { round: 2 })]));
    expect(shown(test)).toMatchObject([{ orderId: 'a', state: 'open' }]);
  });
});

describe('with the line down', () => {
  test('keeps the tickets of the region, and after a wait adds orders that may be cooked', () => {
    const test = new TestBoard();
    test.after(test.board.snapshot([ticket('a')], [], true));
    test.board.sees(false);
    const cash = newOrder();
    test.board.taken(cash, 2);
    test.board.taken(newOrder({ payment: { method: 'card', token: 'tok_visa' } }), 3);
    test.tick(PATIENCE_MS - 1);
    expect(shown(test)).toHaveLength(1);
    test.tick(1);
    expect(shown(test)).toEqual([
      { orderId: 'a', state: 'open', confirmation: undefined },
      { orderId: cash.orderId, state: 'open', confirmation: 'waiting' },
    ]);
  });

  test('counts a line as down when only the orders do not get through', () => {
    const test = new TestBoard();
    test.after(test.board.snapshot([], [], true));
    test.tick(0, false);
    test.board.taken(newOrder(), 1);
    test.tick(PATIENCE_MS, false);
    expect(shown(test)).toMatchObject([{ confirmation: 'waiting' }]);
  });

  test('keeps commands of the crew over a power loss, and sends them when the region has the ticket', () => {
    const test = cutOff();
    const order = newOrder();
    test.board.taken(order, 1);
    test.tick(PATIENCE_MS);
    test.after(test.board.act({ type: 'bump', orderId: order.orderId, round: 1 }));
    test.restart();
    expect(shown(test)).toEqual([]);
    test.after(test.board.snapshot([ticket(order.orderId)], [], true));
    expect(shown(test)).toEqual([]);
    expect(test.commands).toEqual([{ type: 'bump', orderId: order.orderId, round: 1 }]);
    test.after(test.board.changed([ticket(order.orderId, { state: 'cooked' })]));
    expect(test.disk.size).toBe(0);
  });

  test('repeats a bump whose answer was lost', () => {
    const test = new TestBoard();
    test.after(test.board.snapshot([ticket('a')], [], true));
    test.after(test.board.act({ type: 'bump', orderId: 'a', round: 1 }));
    test.board.sees(false);
    test.after(test.board.snapshot([ticket('a')], [], true));
    expect(test.commands).toHaveLength(2);
  });

  test('takes back a bump that the region does not know', () => {
    const test = cutOff();
    const order = newOrder();
    test.board.taken(order, 1);
    test.tick(PATIENCE_MS);
    const command = { orderId: order.orderId, round: 1 };
    test.after(test.board.act({ type: 'bump', ...command }));
    expect(test.board.bumped).toHaveLength(1);
    test.after(test.board.act({ type: 'recall', ...command }));
    expect(shown(test)).toMatchObject([{ state: 'open' }]);
    expect(test.board.bumped).toEqual([]);
  });
});

describe('when the line is back', () => {
  test('turns an unconfirmed order into its ticket, in the same place', () => {
    const test = cutOff();
    const order = newOrder();
    test.board.taken(order, 1);
    test.tick(PATIENCE_MS);
    test.after(test.board.act({ type: 'start', orderId: order.orderId, round: 1 }));
    test.after(test.board.snapshot([ticket(order.orderId)], [], true));
    expect(shown(test)).toEqual([{ orderId: order.orderId, state: 'cooking', confirmation: undefined }]);
    expect(test.commands).toMatchObject([{ type: 'start' }]);
  });

  test('drops tickets that another screen has bumped meanwhile', () => {
    const test = new TestBoard();
    test.after(test.board.snapshot([ticket('a'), ticket('b')], [], true));
    test.board.sees(false);
    test.after(test.board.snapshot([ticket('b')], [ticket('a', { state: 'cooked' })], true));
    expect(shown(test).map(({ orderId }) => orderId)).toEqual(['b']);
    expect([...test.disk.keys()]).toEqual(['b']);
  });

  test('drops nothing because of a capped snapshot', () => {
    const test = new TestBoard();
    test.after(test.board.snapshot([ticket('a'), ticket('b')], [], true));
    test.after(test.board.snapshot([ticket('b')], [], false));
    expect(shown(test)).toHaveLength(2);
  });

  test('marks an order that the region refuses, until the crew takes it off', () => {
    const test = cutOff();
    const order = newOrder();
    test.board.taken(order, 1);
    test.tick(PATIENCE_MS);
    test.after(test.board.decided(order.orderId, 'refused'));
    expect(shown(test)).toMatchObject([{ confirmation: 'refused' }]);
    test.after(test.board.act({ type: 'bump', orderId: order.orderId, round: 1 }));
    expect(shown(test)).toEqual([]);
    expect(test.disk.size).toBe(0);
  });

  test('shows the ticket again when the region declines the command', () => {
    const test = new TestBoard();
    test.after(test.board.snapshot([ticket('a')], [], true));
    test.after(test.board.act({ type: 'bump', orderId: 'a', round: 1 }));
    test.after(test.board.declined('a'));
    expect(shown(test)).toMatchObject([{ state: 'open' }]);
  });

  test('refuses a command about another round', () => {
    const test = new TestBoard();
    test.after(test.board.snapshot([ticket('a', { round: 2 })], [], true));
    expect(test.board.act({ type: 'bump', orderId: 'a', round: 1 })).toBeUndefined();
    expect(test.board.act({ type: 'bump', orderId: 'unknown', round: 1 })).toBeUndefined();
  });
});
