// Reads tickets from the database for all screens. Created by server.ts.

import type { Clock } from '../contracts/clock.ts';
import { storeIdSchema } from '../contracts/order/order.ts';
import { compileValidator } from '../contracts/validation.ts';
import {
  BoundedPool,
  type DatabaseServer,
  isStoreOnMenu,
  openTickets,
  recentlyCooked,
  type Ticket,
  TicketListener,
  ticketsById,
} from '../store/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import { StateLog } from '../telemetry/state-log.ts';
import { ChangeFeed } from './change-feed.ts';
import { DatabaseHealth } from './database-health.ts';
import type { PageSettings, ServerMessage, Staleness } from './messages.ts';
import type { DisplayMetrics } from './metrics.ts';
import type { Standstill } from './pipeline-watch.ts';
import type { Screen, Screens } from './screens.ts';
import { StoreCounts } from './store-counts.ts';
import { TicketNames } from './ticket-names.ts';
import { TicketReader } from './ticket-reader.ts';
import { UnreadScreens } from './unread-screens.ts';

/** At most this many tickets are in a snapshot; the screen shows only the number of the others. */
const STORE_SNAPSHOT_MAX = 200;
const CHAIN_SNAPSHOT_MAX = 60;
const BUMPED_MAX = 20;
const CONNECTIONS = 4;
const APPLICATION = 'ordermesh-display';
const READ_DEADLINE_MS = 4_000;
/** PostgreSQL ends a slow statement before the pool would end all connections, so the reads of other screens continue. */
const STATEMENT_MS_MAX = 3_000;
const BEAT_INTERVAL_MS = 3_000;
const COUNT_INTERVAL_MS = 1_500;

const isStoreId = compileValidator(storeIdSchema);

export interface TicketBoardOptions {
  database: DatabaseServer;
  screens: Screens;
  settings: PageSettings;
  metrics: DisplayMetrics;
  clock: Clock;
  /** Whether orders wait before the kitchen; `undefined` while they get through. */
  standstill(): Standstill | undefined;
  logger: Logger;
}

/**
 * Keeps the screens up to date with the tickets in the store: a snapshot for each new screen, then the changes that the store notifies, and a new
 * snapshot for every screen when a change may have been missed.
 */
export class TicketBoard {
  readonly #options: TicketBoardOptions;
  readonly #pool: BoundedPool;
  readonly #names: TicketNames;
  readonly #unread: UnreadScreens;
  readonly #reader: TicketReader;
  readonly #feed: ChangeFeed;
  readonly #health: DatabaseHealth;
  readonly #beating: NodeJS.Timeout;
  readonly #counts: StoreCounts;
  readonly #listener: TicketListener;
  readonly #states: StateLog;
  /** Why no notifications of changed tickets come; `undefined` while they come. */
  #deaf: Standstill | undefined;
  #closed = false;

  constructor(options: TicketBoardOptions) {
    this.#options = options;
    const { metrics, screens, clock } = options;
    this.#states = new StateLog(options.logger, clock);
    const server = { server: options.database, application: APPLICATION };
    this.#pool = new BoundedPool({
      ...server,
      connections: CONNECTIONS,
      answerMsMax: READ_DEADLINE_MS,
      statementMsMax: STATEMENT_MS_MAX,
    });
    this.#names = new TicketNames((orderId, reason) =>
      options.logger.error({ orderId, reason }, 'a ticket in the store cannot be shown; its card says so'),
    );
    this.#counts = new StoreCounts(this.#pool, this.#names, clock);
    this.#unread = new UnreadScreens({ states: this.#states, clock, retry: (screen) => this.snapshot(screen) });
    const readTickets = (orderIds: string[]) => this.#pool.call((database) => ticketsById(database, orderIds));
    this.#reader = new TicketReader(readTickets);
    this.#feed = new ChangeFeed({
      intervalMs: 10,
      readMax: 1_000,
      waitingMax: 20_000,
      read: async (orderIds) => {
        const tickets = await readTickets(orderIds);
        return tickets.map((ticket) => this.#names.view(ticket));
      },
      deliver: (tickets, waitedMs) => {
        metrics.updates.inc(screens.publish(tickets, clock.now()));
        metrics.tickets.inc(tickets.length);
        metrics.notifyToSend.observe(waitedMs / 1_000);
      },
      onLost: (error) => this.#lost(error),
    });
    this.#health = new DatabaseHealth({
      intervalMs: COUNT_INTERVAL_MS,
      probe: () => this.#count(),
      onDown: (error) => {
        this.#states.begin('database', 'the ticket store is not answering; screens keep what they show', {
          error: error.message,
        });
        this.#beatAll();
      },
      onUp: () => {
        this.#states.end('database', 'the ticket store answers again; every screen gets a new snapshot');
        this.#beatAll();
        this.#snapshotAll();
      },
    });
    this.#listener = new TicketListener({
      server,
      clock,
      onOrderIds: (orderIds) => {
        // Without screens there is no reader; the first one starts from a snapshot.
        if (screens.size > 0) this.#feed.notify(orderIds);
      },
      onProven: () => this.#hears(),
      onDeaf: (reason) => this.#isDeaf(reason),
    });
    this.#beating = setInterval(() => this.#beatAll(), BEAT_INTERVAL_MS);
  }

  /** Reads names and counts, and starts to listen for changes; when listening fails, the screens show that. @throws when the database cannot be reached at start */
  async start(): Promise<void> {
    await this.#count();
    await this.#listener.start();
  }

  /** Sends every screen a beat at once. */
  beat(): void {
    this.#beatAll();
  }

  /** Why no notifications of changed tickets come, and since when; `undefined` while they come. */
  get deaf(): Standstill | undefined {
    return this.#deaf;
  }

  get database(): 'up' | 'down' {
    return this.#health.state;
  }

  /** The longest-waiting screen whose tickets cannot be read although the database answers; `undefined` while there is none. */
  get unread(): Standstill | undefined {
    return this.#unread.standstill;
  }

  get unreadScreens(): number {
    return this.#unread.size;
  }

  /** Reads one ticket as it is now. */
  read(orderId: string): Promise<Ticket | undefined> {
    return this.#reader.read(orderId);
  }

  /** Sends a snapshot to the screen. Changes that come meanwhile are sent after it. A screen gets one snapshot at a time. */
  async snapshot(screen: Screen): Promise<void> {
    if (screen.isReading) {
      screen.snapshotAgain = true;
      return;
    }
    screen.isReading = true;
    screen.waiting ??= [];
    try {
      await this.#readAndSend(screen);
      this.#unread.settled(screen);
    } catch (error) {
      // During an outage nothing is tried again: when the store answers again, every screen gets a snapshot.
      if ((await this.#health.check()) === 'up') {
        this.#unread.failed(screen, error as Error);
        // The screen says that it is not up to date, and still shows the changes that come.
        this.#options.screens.release(screen);
      }
      this.#beatOne(screen);
    } finally {
      screen.isReading = false;
    }
    if (screen.snapshotAgain && !screen.closed && this.database === 'up') {
      screen.snapshotAgain = false;
      await this.snapshot(screen);
    }
  }

  /** The screen is closed. */
  forget(screen: Screen): void {
    this.#unread.settled(screen);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#beating);
    this.#feed.close();
    this.#health.close();
    this.#listener.close();
    this.#unread.close();
    await this.#pool.close();
  }

  async #readAndSend(screen: Screen): Promise<void> {
    const { screens, settings, metrics, clock } = this.#options;
    const { storeId } = screen;
    const [isOnMenu, open, cooked] = await this.#read(storeId);
    if (screen.closed) return;
    // First, because the page names the stores of its tickets from the counts.
    if (storeId === undefined) this.#sendCounts([screen]);
    const complete = open.length < (storeId === undefined ? CHAIN_SNAPSHOT_MAX : STORE_SNAPSHOT_MAX);
    const storeName = storeId === undefined ? undefined : this.#names.stores.get(storeId);
    screen.storeUnknown = !isOnMenu && open.length + cooked.length === 0;
    const bytes = screens.snapshot(screen, {
      type: 'snapshot',
      now: clock.now(),
      settings,
      ...(storeName === undefined ? {} : { storeName }),
      ...(screen.storeUnknown ? { storeUnknown: true } : {}),
      tickets: open.map((ticket) => this.#names.view(ticket)),
      bumped: cooked.map((ticket) => this.#names.view(ticket)),
      open: complete ? open.length : Math.max(open.length, this.#counts.openOf(storeId)),
    });
    metrics.snapshotBytes.observe(bytes);
    this.#beatOne(screen);
  }

  async #read(storeId: string | undefined): Promise<[isOnMenu: boolean, open: Ticket[], cooked: Ticket[]]> {
    // Text that is not a store id has no tickets, and PostgreSQL may refuse the text itself (NUL).
    if (storeId !== undefined && !isStoreId(storeId).ok) return [false, [], []];
    const isNamed = storeId === undefined || this.#names.stores.has(storeId);
    return this.#pool.call((database) =>
      Promise.all([
        isNamed || isStoreOnMenu(database, storeId),
        storeId === undefined
          ? openTickets(database, { limit: CHAIN_SNAPSHOT_MAX, newestFirst: true })
          : openTickets(database, { storeId, limit: STORE_SNAPSHOT_MAX }),
        storeId === undefined ? [] : recentlyCooked(database, { storeId, limit: BUMPED_MAX }),
      ]),
    );
  }

  #hears(): void {
    const wasDeaf = this.#deaf !== undefined;
    this.#deaf = undefined;
    this.#states.end('deaf', 'changed tickets are heard of again; every screen gets a new snapshot');
    if (!wasDeaf) return;
    this.#options.metrics.lost.inc();
    this.#feed.clear();
    this.#snapshotAll();
    this.#beatAll();
  }

  #isDeaf({ message }: Error): void {
    if (this.#closed) return;
    const since = this.#deaf?.since ?? this.#listener.provenAt ?? this.#options.clock.now();
    const isNew = this.#deaf === undefined;
    this.#deaf = { since, reason: message };
    this.#states.begin('deaf', 'changed tickets are not heard of; screens say so, trying again', { reason: message });
    if (isNew) this.#beatAll();
  }

  /** Changes may have been missed: forgets the waiting changes, and sends every screen a new snapshot. */
  #lost(error: Error): void {
    if (this.#closed) return;
    this.#options.metrics.lost.inc();
    this.#options.logger.warn(
      { reason: error.message },
      'changes may have been missed; every screen gets a new snapshot',
    );
    this.#feed.clear();
    this.#snapshotAll();
  }

  #snapshotAll(): void {
    for (const screen of [...this.#options.screens]) void this.snapshot(screen);
  }

  /** Reads the counts, which is also the probe of the database, and sends them. */
  async #count(): Promise<void> {
    const areNamesNew = await this.#counts.read();
    const screens = [...this.#options.screens];
    if (areNamesNew)
      for (const screen of screens)
        if (screen.storeUnknown && this.#names.stores.has(screen.storeId ?? '')) void this.snapshot(screen);
    this.#sendCounts(screens.filter(({ storeId }) => storeId === undefined));
  }

  #sendCounts(screens: readonly Screen[]): void {
    if (screens.length === 0) return;
    const counts: ServerMessage = { type: 'counts', now: this.#options.clock.now(), stores: this.#counts.stores };
    for (const screen of screens) this.#options.screens.send(screen, counts);
  }

  #beatAll(): void {
    for (const screen of [...this.#options.screens]) this.#beatOne(screen);
  }

  /** Why a screen may not show every ticket. */
  #staleOf(screen: Screen): Staleness | undefined {
    if (this.#deaf !== undefined) return { why: 'tickets', since: this.#deaf.since };
    const unreadSince = this.#unread.since(screen);
    if (unreadSince !== undefined) return { why: 'tickets', since: unreadSince };
    const standstill = this.#options.standstill();
    return standstill === undefined ? undefined : { why: 'pipeline', since: standstill.since };
  }

  #beatOne(screen: Screen): void {
    const stale = this.#staleOf(screen);
    this.#options.screens.send(screen, {
      type: 'beat',
      now: this.#options.clock.now(),
      open: this.database === 'up' ? this.#counts.openOf(screen.storeId) : null,
      database: this.database,
      ...(stale === undefined ? {} : { stale }),
    });
  }
}
