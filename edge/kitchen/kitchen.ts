// The kitchen display of the restaurant, with and without a line to the region. Started by edge.ts.

import type { Config } from '../../contracts/config/config.ts';
import { type Problem, problem } from '../../contracts/errors.ts';
import type { OrderStatus } from '../../contracts/events.ts';
import { hostPort } from '../../contracts/local-url.ts';
import type { Order } from '../../contracts/order/order.ts';
import {
  type Command,
  loadPageFiles,
  needsPairing,
  refusedScreens,
  runBounded,
  type Screen,
  ScreenDoor,
  Screens,
  type ServerMessage,
  type Staleness,
  startPageServer,
  validateCommand,
  validateRefresh,
} from '../../display/index.ts';
import { tlsFiles } from '../../telemetry/files/tls.ts';
import { watchTls } from '../../telemetry/files/tls-watch.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { SpoolClient } from '../spool/client.ts';
import { Board, type Changes } from './board.ts';
import { BoardWriter, UnkeptError } from './board-writer.ts';
import type { Entry } from './entry.ts';
import { RegionDisplay } from './region-display.ts';
import { ScreenFile, screenFileOf } from './screen-file.ts';
import { UnexplainedOrders } from './unexplained-orders.ts';

export interface KitchenOptions {
  config: Config;
  storeId: string;
  /** The region's display. */
  upstream: string;
  /** The file of its screens lies beside the spool. */
  spoolPath: string;
  spool: Pick<SpoolClient, 'keepTickets' | 'tickets'>;
  /** The status of an order; `undefined` while the status is not known. Never rejects. */
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
/** Shorter than twelve seconds, after which the page considers the server dead. */
const BEAT_MS = 3_000;
/** At most this many unsent orders from before the start are taken onto the board. */
const UNSENT_MAX = 1_000;

/**
 * The store's own display. While the line is up it shows what the region shows. While the line is down it keeps those tickets, adds orders that only the
 * restaurant knows, and keeps the commands of the crew until the region can get them.
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
  /** What the region's display reports about itself; the store's screens show the same. */
  let regionDatabase: 'up' | 'down' = 'up';
  let regionStale: Staleness | undefined;
  const writer = new BoardWriter({
    spool,
    logger,
    onKept({ shown, commands }) {
      if (shown.length > 0) screens.publish(shown, Date.now());
      for (const command of commands) deliver(command).catch(failed);
    },
  });
  const apply = (changes: Changes) => writer.apply(changes);
  const unexplained = new UnexplainedOrders({
    statusOf: options.statusOf,
    onDecided: (orderId, fate) => apply(board.decided(orderId, fate)),
    logger,
  });

  async function deliver(command: Changes['commands'][number]): Promise<void> {
    if ((await region.command(command)) === 'declined') await apply(board.declined(command.orderId));
  }

  function failed(error: Error): void {
    if (!(error instanceof UnkeptError)) logger.error({ err: error }, 'the board could not be changed');
  }

  const door = needsPairing(config)
    ? new ScreenDoor({
        commandFor: (code) => `ordermesh edge screens pair ${code}`,
        register: new ScreenFile(screenFileOf(options.spoolPath), storeId),
        logger,
        onRemoved: (ids) => screens.expel(ids),
      })
    : undefined;
  const files = tlsFiles(config);
  // /readyz and metrics of the agent tell of these files by the watch of its intake.
  const tls = files && (await watchTls(files, logger, () => {}));
  // Started first, because a taken port is the likely failure.
  const server = await startPageServer({
    tls: files,
    host: config.ORDERMESH_HOST,
    port: config.ORDERMESH_DISPLAY_PORT,
    files: await loadPageFiles(),
    door,
    onOpen(screen) {
      screens.add(screen);
      snapshot(screen);
    },
    onMessage: (screen, text) => void receive(text, screen).catch(failed),
    onClose: (screen) => screens.remove(screen),
    onRefused: refusedScreens(logger),
  });
  tls?.renewBy((changed) => server.renew(changed));
  const region = new RegionDisplay({
    url: upstream,
    storeId,
    token: config.ORDERMESH_EDGE_KITCHEN_TOKEN,
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

  const ticking = setInterval(() => {
    try {
      apply(board.tick(options.forwards())).catch(failed);
    } catch (error) {
      failed(error as Error);
    }
    if (!board.isLineDown) unexplained.ask(board.unexplained).catch(failed);
  }, TICK_MS);
  const beating = setInterval(beat, BEAT_MS);
  return {
    address: `${files === undefined ? 'http' : 'https'}://${hostPort(config.ORDERMESH_HOST, server.port)}/stores/${storeId}`,
    taken: (order, acceptedAt) => board.taken(order, acceptedAt),
    async close() {
      clearInterval(ticking);
      clearInterval(beating);
      region.close();
      tls?.close();
      server.close();
      await door?.close();
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Answered as a malformed message.
    return undefined;
  }
}
