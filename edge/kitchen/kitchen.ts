import type { Config } from '../../contracts/config.ts';
import { type Problem, problem } from '../../contracts/errors.ts';
import type { OrderStatus } from '../../contracts/events.ts';
import type { Order } from '../../contracts/order.ts';
import { runBounded } from '../../display/bounded-commands.ts';
import {
  type Command,
  type ServerMessage,
  type Staleness,
  validateCommand,
  validateRefresh,
} from '../../display/messages.ts';
import { loadPageFiles } from '../../display/page-files.ts';
import { startPageServer } from '../../display/page-server.ts';
import { refusedScreens } from '../../display/refused-screens.ts';
import { type Screen, Screens } from '../../display/screens.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { StateLog } from '../../telemetry/state-log.ts';
import type { SpoolClient } from '../spool/client.ts';
import { Board, type Changes, joined, noChanges } from './board.ts';
import type { Entry } from './entry.ts';
import { RegionDisplay } from './region-display.ts';

export interface KitchenOptions {
  config: Config;
  storeId: string;
  /** The region's display. */
  upstream: string;
  spool: Pick<SpoolClient, 'keepTickets' | 'tickets'>;
  /** The region's word on an order; `undefined` while it has none or does not answer. */
  statusOf(orderId: string): Promise<OrderStatus | undefined>;
  /** Whether orders get to the region. */
  forwards(): boolean;
  logger: Logger;
}

export interface Kitchen {
  address: string;
  /** An order is on the disk. */
  taken(order: Order, acceptedAt: number): void;
  close(): Promise<void>;
}

const TICK_MS = 1_000;
/** The page takes a silence of twelve seconds for a dead server. */
const BEAT_MS = 3_000;
/** Unsent orders of before the start that may still have to be cooked. */
const UNSENT_MAX = 1_000;
/** Orders that the region is asked for in one tick. */
const QUESTIONS_MAX = 5;

const fates: Partial<Record<OrderStatus, 'refused' | 'over'>> = {
  rejected: 'refused',
  'payment-failed': 'refused',
  conflicting: 'refused',
  cooked: 'over',
};

/**
 * The store's own display. With the line up it shows what the region shows; with the line down it keeps that, adds orders that only the
 * restaurant knows, and keeps what the crew does until the region can be told.
 */
export async function startKitchen(options: KitchenOptions): Promise<Kitchen> {
  const { config, storeId, upstream, spool, logger } = options;
  const policy = config.ORDERMESH_EDGE_KITCHEN;
  const { entries, unsent } = await spool.tickets(UNSENT_MAX);
  const board = new Board(
    {
      mayCook: ({ payment }) => policy === 'all' || payment.method === 'cash',
      patienceMs: config.ORDERMESH_EDGE_KITCHEN_AFTER,
      now: () => performance.now(),
    },
    entries.map((text) => JSON.parse(text) as Entry),
  );
  for (const { value, acceptedAt } of unsent)
    board.taken(JSON.parse(Buffer.from(value).toString()) as Order, acceptedAt);
  const screens = new Screens(() => logger.warn('a screen did not keep up and was closed'));
  let storeName: string | undefined;
  let storeUnknown: true | undefined;
  /** What the region's display says of its own sight: whoever looks through it sees no better. */
  let regionDatabase: 'up' | 'down' = 'up';
  let regionStale: Staleness | undefined;
  let asking = false;
  /** Goes round, so that an order without an answer does not keep the others from theirs. */
  let asked = 0;

  /** What the disk, the screens and the region do not have yet: the board itself is ahead of them. */
  let waiting = noChanges();
  let turn: Promise<void> = Promise.resolve();

  /** One write after the other, so that an entry of before never takes the place of a newer one. */
  function apply(changes: Changes): Promise<void> {
    waiting = joined(waiting, changes);
    turn = turn.then(flush, flush);
    return turn;
  }

  /** On the disk first: what a screen shows as done is not forgotten by a power loss. What fails goes with the next changes or the next tick. */
  async function flush(): Promise<void> {
    const changes = waiting;
    const { shown, kept, dropped, commands } = changes;
    waiting = noChanges();
    if (kept.length > 0 || dropped.length > 0) {
      try {
        await spool.keepTickets({ kept: kept.map((entry) => [entry.orderId, JSON.stringify(entry)]), dropped });
      } catch (error) {
        waiting = joined(changes, waiting);
        const { message: reason } = error as Error;
        states.begin('unkept', 'the board cannot be kept on the disk; trying again', { reason });
        throw new UnkeptError(reason);
      }
      states.end('unkept', 'the board is kept on the disk again');
    }
    if (shown.length > 0) screens.publish(shown, Date.now());
    for (const command of commands) deliver(command).catch(failed);
  }

  async function deliver(command: Changes['commands'][number]): Promise<void> {
    if ((await region.command(command)) === 'declined') await apply(board.declined(command.orderId));
  }

  const states = new StateLog(logger);
  function failed(error: Error): void {
    // Said once by the write that failed.
    if (!(error instanceof UnkeptError)) logger.error({ err: error }, 'the board could not be changed');
  }

  // First, because it is what can fail.
  const server = await startPageServer({
    host: config.ORDERMESH_HOST,
    port: config.ORDERMESH_DISPLAY_PORT,
    files: await loadPageFiles(),
    onOpen(screen) {
      screens.add(screen);
      snapshot(screen);
    },
    onMessage: (screen, text) => void receive(text, screen).catch(failed),
    onClose: (screen) => screens.remove(screen),
    onRefused: refusedScreens(logger),
  });
  const region = new RegionDisplay({
    url: upstream,
    storeId,
    logger,
    onMessage(message) {
      if (message.type === 'snapshot') {
        storeName = message.storeName;
        storeUnknown = message.storeUnknown;
        const isWhole = message.open <= message.tickets.length;
        apply(board.snapshot(message.tickets, message.bumped, isWhole)).then(snapshotAll, failed);
      } else if (message.type === 'tickets') apply(board.changed(message.tickets)).catch(failed);
      else if (message.type === 'beat') {
        const isNews = regionDatabase !== message.database || regionStale?.since !== message.stale?.since;
        regionDatabase = message.database;
        regionStale = message.stale;
        if (isNews) beat();
      }
    },
    onDown() {
      board.sees(false);
      regionDatabase = 'up';
      regionStale = undefined;
      beat();
    },
  });

  function snapshot(screen: Screen): void {
    const message: ServerMessage = {
      type: 'snapshot',
      now: Date.now(),
      settings: { dueAfterMs: config.ORDERMESH_DISPLAY_DUE_AFTER, lateAfterMs: config.ORDERMESH_DISPLAY_LATE_AFTER },
      ...(storeName === undefined ? {} : { storeName }),
      ...(storeUnknown && board.open.length === 0 ? { storeUnknown } : {}),
      tickets: board.open,
      bumped: board.bumped,
      open: board.open.length,
    };
    screens.snapshot(screen, message);
    screens.send(screen, beatMessage());
  }

  function snapshotAll(): void {
    for (const screen of [...screens]) snapshot(screen);
  }

  function beatMessage(): ServerMessage {
    const line = board.isLineDown ? { line: 'down' as const } : {};
    const stale = regionStale === undefined ? {} : { stale: regionStale };
    return { type: 'beat', now: Date.now(), open: board.open.length, database: regionDatabase, ...stale, ...line };
  }

  function beat(): void {
    for (const screen of [...screens]) screens.send(screen, beatMessage());
  }

  async function receive(text: string, screen: Screen): Promise<void> {
    const message = parsed(text);
    if (validateRefresh(message).ok) return snapshot(screen);
    const valid = validateCommand(message);
    if (!valid.ok) {
      const fault = problem('malformed-request', 'A message is a command or {"type":"refresh"}.', valid.errors);
      return screens.send(screen, { type: 'error', id: null, problem: fault });
    }
    const { id } = valid.value;
    const fault = await runBounded(screen, () => run(valid.value));
    screens.send(screen, fault === undefined ? { type: 'done', id } : { type: 'error', id, problem: fault });
  }

  async function run({ id: _, ...command }: Command): Promise<Problem | undefined> {
    try {
      const changes = board.act(command);
      if (changes !== undefined) await apply(changes);
      else if (command.type !== 'recall')
        return problem('ticket-moved-on', 'Another screen was faster: look at the ticket again.');
      else if (!board.seesTickets)
        return problem('tickets-unavailable', 'The region has this ticket; it can be taken back when the line is up.');
      else if ((await region.command(command)) !== 'done')
        return problem('ticket-moved-on', 'The region did not take the ticket back: look at it again.');
    } catch (error) {
      failed(error as Error);
      return problem('tickets-unavailable', 'The disk of the agent does not answer. The ticket changes when it does.');
    }
    return undefined;
  }

  /** Orders that neither have a ticket nor lack one for a reason we know. */
  async function explain(): Promise<void> {
    if (asking || board.isLineDown) return;
    asking = true;
    try {
      const unexplained = board.unexplained;
      for (let count = Math.min(QUESTIONS_MAX, unexplained.length); count > 0; count -= 1) {
        asked += 1;
        const orderId = unexplained[asked % unexplained.length] ?? '';
        const status = await options.statusOf(orderId);
        const fate = status === undefined ? undefined : fates[status];
        if (fate === undefined) continue;
        logger.warn({ orderId, status }, 'the region has decided on an order that the kitchen has without its ticket');
        await apply(board.decided(orderId, fate));
      }
    } catch (error) {
      failed(error as Error);
    } finally {
      asking = false;
    }
  }

  const ticking = setInterval(() => {
    try {
      apply(board.tick(options.forwards())).catch(failed);
    } catch (error) {
      failed(error as Error);
    }
    void explain();
  }, TICK_MS);
  const beating = setInterval(beat, BEAT_MS);
  const host = config.ORDERMESH_HOST.includes(':') ? `[${config.ORDERMESH_HOST}]` : config.ORDERMESH_HOST;
  return {
    address: `http://${host}:${server.port}/stores/${storeId}`,
    taken: (order, acceptedAt) => board.taken(order, acceptedAt),
    async close() {
      clearInterval(ticking);
      clearInterval(beating);
      region.close();
      server.close();
    },
  };
}

/** The disk did not take the board's changes; they are written later. */
class UnkeptError extends Error {
  override name = 'UnkeptError';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Answered as a malformed message.
    return undefined;
  }
}
