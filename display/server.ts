// The role `display`: creates and connects its parts. Started by `ordermesh display`.

import { systemClock } from '../contracts/clock.ts';
import type { Config } from '../contracts/config/config.ts';
import { clusterOf } from '../contracts/config/kafka-cluster.ts';
import { type Problem, problem } from '../contracts/errors.ts';
import { hostPort } from '../contracts/local-url.ts';
import type { RunningRole } from '../contracts/roles.ts';
import { groups, subscriptions } from '../contracts/topics.ts';
import type { FieldError } from '../contracts/validation.ts';
import { createProducer, type RecordProducer, registerRefusals } from '../kafka/index.ts';
import { databaseOf } from '../store/index.ts';
import { openAdminPort } from '../telemetry/admin-port.ts';
import { tlsFiles } from '../telemetry/files/tls.ts';
import { watchTls } from '../telemetry/files/tls-watch.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createProcessRegistry } from '../telemetry/metrics.ts';
import { runningRole } from '../telemetry/running-role.ts';
import { StateLog, timeOfDay } from '../telemetry/state-log.ts';
import { runBounded } from './bounded-commands.ts';
import { CrewCommands } from './crew-commands.ts';
import { LazyAdmin } from './lazy-admin.ts';
import { unavailableOf } from './menu/unavailable.ts';
import { validateCommand, validateRefresh } from './messages.ts';
import { createDisplayMetrics, type DisplayMetrics } from './metrics.ts';
import { loadPageFiles } from './page-files.ts';
import { startPageServer } from './page-server.ts';
import { databaseRegister } from './pairing/database-register.ts';
import { ScreenDoor } from './pairing/door.ts';
import { needsPairing } from './pairing/policy.ts';
import { type PipelineStage, PipelineWatch, type Standstill } from './pipeline-watch.ts';
import { refusedScreens } from './refused-screens.ts';
import { type Screen, Screens } from './screens.ts';
import { TicketBoard } from './ticket-board.ts';

/** Shorter than the gateway's deadline, because a cook waits for the answer. */
const COMMAND_DEADLINE_MS_MAX = 5_000;
const WATCH_INTERVAL_MS = 3_000;
/** Groups commit many times a second. When records wait and the group has not committed for this long, the partition stands. */
const STANDS_AFTER_MS = 10_000;

export interface DisplayOptions {
  /** Where kitchen events go; tests use a topic of their own. */
  topic?: string;
  /** Consumer groups that process orders before they are tickets; tests watch a group of their own. */
  stages?: readonly PipelineStage[];
}

const stages = subscriptions.filter(({ group }) => group !== groups.bridge);

/**
 * Starts the kitchen display: the page, its WebSocket and the admin server.
 * @throws when `KAFKA_BROKERS` or `DATABASE_URL` is missing or cannot be reached, or a port is taken.
 */
export async function startDisplay(config: Config, logger: Logger, options: DisplayOptions = {}): Promise<RunningRole> {
  const cluster = clusterOf(config);
  const database = demand(databaseOf(config), 'DATABASE_URL');
  await using started = new AsyncDisposableStack();
  const registry = createProcessRegistry('display');
  registerRefusals(registry);
  const metrics = createDisplayMetrics(registry, {
    isListening: () => board.deaf === undefined,
    unreadScreens: () => board.unreadScreens,
    findsScreens: () => door?.trouble === undefined,
    standstillMs: () => systemClock.now() - (watch.standstill?.since ?? systemClock.now()),
  });
  const deadlineMs = Math.min(config.ORDERMESH_PRODUCE_DEADLINE, COMMAND_DEADLINE_MS_MAX);
  const producer: RecordProducer = await createProducer({ clientId: 'ordermesh-display', cluster, deadlineMs });
  started.defer(() => producer.close());

  const screens = new Screens(() => metrics.dropped.inc());
  const settings = {
    dueAfterMs: config.ORDERMESH_DISPLAY_DUE_AFTER,
    lateAfterMs: config.ORDERMESH_DISPLAY_LATE_AFTER,
  };
  const states = new StateLog(logger);
  const asking = new LazyAdmin(cluster);
  started.defer(() => asking.close());
  const watch = new PipelineWatch({
    stages: options.stages ?? stages,
    admin: asking,
    clock: systemClock,
    intervalMs: WATCH_INTERVAL_MS,
    standsAfterMs: STANDS_AFTER_MS,
    onLook(standstill) {
      if ((standstill === undefined) !== (states.since('standstill') === undefined)) setImmediate(() => board.beat());
      if (standstill === undefined) states.end('standstill', 'orders get through to the kitchen again');
      else states.begin('standstill', 'orders do not get through to the kitchen; screens say so', { ...standstill });
    },
  });
  started.defer(() => watch.close());
  const standstill = () => watch.standstill;
  const board = new TicketBoard({
    database,
    screens,
    settings,
    metrics,
    clock: systemClock,
    standstill,
    logger,
  });
  started.defer(() => board.close());
  await board.start();
  const commands = new CrewCommands({
    read: (orderId) => board.read(orderId),
    producer,
    clock: systemClock,
    onOutage: (error) =>
      states.begin('commands', 'commands of the crew cannot be stored; their screens say so', {
        error: error.message,
      }),
    onStored: () => states.end('commands', 'commands of the crew are stored again'),
    ...(options.topic === undefined ? {} : { topic: options.topic }),
  });

  const tellRefused = refusedScreens(logger);
  const door = needsPairing(config)
    ? new ScreenDoor({ register: databaseRegister(database), logger, onRemoved: (ids) => screens.expel(ids) })
    : undefined;
  started.defer(() => door?.close());
  const files = tlsFiles(config);
  const tls = files && (await watchTls(files, logger, () => {}));
  started.defer(() => tls?.close());
  tls?.register(registry, 'display');
  const unavailable = unavailableOf(database);
  started.defer(() => unavailable.close());
  const server = await startPageServer({
    tls: files,
    host: config.ORDERMESH_HOST,
    port: config.ORDERMESH_DISPLAY_PORT,
    files: await loadPageFiles(),
    door,
    unavailable: unavailable.read,
    onOpen(screen) {
      screens.add(screen);
      metrics.screens.inc({ page: pageOf(screen) });
      void board.snapshot(screen);
    },
    onMessage(screen, text) {
      receive(text, screen, { screens, board, commands, metrics }).catch((error: Error) =>
        logger.error({ err: error }, 'a message of a screen could not be handled'),
      );
    },
    onRefused(reason) {
      metrics.refused.inc();
      tellRefused(reason);
    },
    onClose(screen) {
      screens.remove(screen);
      board.forget(screen);
      metrics.screens.dec({ page: pageOf(screen) });
    },
  });
  started.defer(() => server.close());
  tls?.renewBy((changed) => server.renew(changed));
  const admin = await openAdminPort('display', config, {
    metrics: registry,
    readiness: {
      database: () => (board.database === 'up' ? undefined : 'the ticket store is not answering'),
      listening: () => sentence('changed tickets are not heard of', board.deaf),
    },
    remarks: {
      pipeline: () => sentence('orders do not get through to the kitchen', watch.standstill),
      screens: () => sentence('the tickets of a screen cannot be read', board.unread),
      pairing: () => door?.trouble,
      tls: () => tls?.trouble(systemClock.now()),
    },
  });
  started.use(admin);
  const display = `${files === undefined ? 'http' : 'https'}://${hostPort(config.ORDERMESH_HOST, server.port)}/`;
  const addresses = { display, admin: `${admin.url}/` };
  logger.info(addresses, 'kitchen display is up');
  return runningRole(addresses, started.move());
}

interface Parts {
  screens: Screens;
  board: TicketBoard;
  commands: CrewCommands;
  metrics: DisplayMetrics;
}

async function receive(text: string, screen: Screen, { screens, board, commands, metrics }: Parts): Promise<void> {
  const message = parse(text);
  if (validateRefresh(message).ok) return void board.snapshot(screen);
  const valid = validateCommand(message);
  if (!valid.ok) {
    screens.send(screen, { type: 'error', id: idOf(message), problem: malformed(valid.errors) });
    return;
  }
  const command = valid.value;
  const fault = await runBounded(screen, () => commands.run(command, screen.storeId));
  metrics.commands.inc({ type: command.type, result: resultOf(fault) });
  if (fault === undefined) screens.send(screen, { type: 'done', id: command.id });
  else screens.send(screen, { type: 'error', id: command.id, problem: fault });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Answered as a malformed message.
    return undefined;
  }
}

function sentence(what: string, standstill: Standstill | undefined): string | undefined {
  return standstill === undefined ? undefined : `${what} since ${timeOfDay(standstill.since)}: ${standstill.reason}`;
}

function idOf(message: unknown): number | null {
  const id = typeof message === 'object' && message !== null && 'id' in message ? message.id : null;
  return typeof id === 'number' ? id : null;
}

function malformed(errors: FieldError[]): Problem {
  const type = 'A message is {"id":1,"type":"start"|"bump"|"recall","orderId":"…","round":1} or {"type":"refresh"}.';
  return problem('malformed-request', type, errors);
}

function resultOf(fault: Problem | undefined): 'done' | 'refused' | 'failed' {
  if (fault === undefined) return 'done';
  return fault.status < 500 ? 'refused' : 'failed';
}

function pageOf({ storeId }: Screen): 'chain' | 'store' {
  return storeId === undefined ? 'chain' : 'store';
}

function demand<T>(value: T | undefined, name: string): T {
  if (value === undefined)
    throw new Error(`${name} is not set: the display needs it; \`ordermesh up\` sets it for its roles`);
  return value;
}
