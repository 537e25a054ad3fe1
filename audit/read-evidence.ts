// Reads what the audit judges from Kafka, the database and the warehouse. Called by `ordermesh audit`, `ordermesh smoke` and the drill.

import { highValueRule, isHighValue } from '../bridge/filter.ts';
import { type WarehouseEvents, warehouseEvents } from '../bridge/warehouse/index.ts';
import type { ConnectedConfig } from '../contracts/config/config.ts';
import { clusterOf } from '../contracts/config/kafka-cluster.ts';
import { allTopics, deadLetterTopic, groups, regionStateTopic, subscriptions, topics } from '../contracts/topics.ts';
import { type Admin, readTopic, withAdmin } from '../kafka/index.ts';
import { orphanTest, readRegion } from '../region/index.ts';
import {
  auditDatabase,
  type Database,
  databaseTime,
  inTransaction,
  type OrderEffects,
  serverAt,
  withDatabase,
  withPostgres,
} from '../store/index.ts';
import type { Evidence } from './evidence.ts';
import { readGoneTopics, readSkippedRecords } from './skipped.ts';
import {
  type AuditedRecord,
  type BridgeRule,
  createTrailBook,
  noteDeadLetter,
  noteEvent,
  noteOrphans,
  notePlaced,
} from './trail.ts';

/** Clocks of the brokers and of the database may differ by this much. */
const CLOCK_SLACK_MS = 60_000;

export interface EvidenceOptions {
  promised?: Iterable<string>;
  sinceMs?: number;
  /** Says what cannot be read and is left out. */
  onNote?(line: string): void;
}

/**
 * Reads everything that the audit judges, in the one order that is safe while the system runs: frontiers, then raw-orders, then what
 * follows from it, then the database. What is below a frontier has its outcome in what is read later.
 */
export async function readEvidence(config: ConnectedConfig, options: EvidenceOptions = {}): Promise<Evidence> {
  const book = createTrailBook(bridgeRule(config));
  const { existing, frontiers } = await withAdmin(config, async (admin) => ({
    existing: new Set(await admin.listTopics()),
    frontiers: await readFrontiers(admin),
  }));
  const notAsked: string[] = [];
  const note = (line: string) => {
    notAsked.push(line);
    options.onNote?.(line);
  };
  for (const topic of allTopics) if (!existing.has(topic)) note(`${topic}: there is no such topic`);
  for (const [role, frontier] of Object.entries(frontiers))
    if (frontier.size === 0) note(`${role}: the group has committed nothing, so nothing of it is due`);
  const skipped = await readSkippedRecords(config, existing);
  const gone = await readGoneTopics(config, existing);
  const deadLettersAt = await withDatabase(config, (sql) =>
    inTransaction(sql, (transaction) => databaseTime(transaction)),
  );
  const read = async (topic: string, note: (record: AuditedRecord) => void) => {
    if (existing.has(topic)) await readTopic({ cluster: clusterOf(config), topic, clientId: 'ordermesh-audit' }, note);
  };
  await read(topics.rawOrders, (record) => notePlaced(book, record));
  // Orders that only the old region had at a failover were decided again in the new region.
  const orphans = existing.has(regionStateTopic) ? (await readRegion(clusterOf(config))).records.orphans : [];
  const isOrphan = orphanTest(orphans.flatMap(({ ranges }) => ranges));
  const orphaned: AuditedRecord[] = [];
  for (const topic of [topics.validatedOrders, topics.rejectedOrders])
    await read(topic, (record) => (isOrphan(record) ? orphaned.push(record) : noteEvent(book, record)));
  noteOrphans(book, orphaned);
  for (const { topic, group } of subscriptions) {
    await read(deadLetterTopic(topic, group), (record) => noteDeadLetter(book, record));
  }
  const chargesElsewhere = config.ORDERMESH_PAYMENT_PROVIDER !== 'simulated';
  if (chargesElsewhere) note(`charges: their books are at ${config.ORDERMESH_PAYMENT_PROVIDER}`);
  const stored = new Map<string, OrderEffects>();
  const { faults, deadLetters } = await withLedger(config, (sql, ledger) =>
    auditDatabase(sql, {
      deadLettersAt,
      chargesElsewhere,
      ...(ledger === undefined ? {} : { ledger }),
      ...(options.sinceMs === undefined ? {} : { sinceMs: options.sinceMs - CLOCK_SLACK_MS }),
      onEffects(batch) {
        for (const effects of batch) stored.set(effects.orderId, effects);
      },
    }),
  );
  return {
    book,
    frontiers,
    effects: { of: (orderId) => stored.get(orderId), faults: [...gone, ...faults] },
    deadLetters,
    warehouse: await eventsInWarehouse(config, Math.max(0, (options.sinceMs ?? 0) - CLOCK_SLACK_MS), note),
    skipped,
    notAsked,
    ...(options.promised === undefined ? {} : { promised: options.promised }),
    ...(options.sinceMs === undefined ? {} : { sinceMs: options.sinceMs }),
  };
}

/** Connects to the database, and to the payment provider's ledger where that is in another database. */
function withLedger<T>(config: ConnectedConfig, use: (sql: Database, ledger?: Database) => Promise<T>): Promise<T> {
  const { DATABASE_URL, ORDERMESH_PAYMENT_LEDGER_URL: url = DATABASE_URL } = config;
  if (url === DATABASE_URL || config.ORDERMESH_PAYMENT_PROVIDER !== 'simulated') return withDatabase(config, use);
  const source = { server: serverAt(url, config), variable: 'ORDERMESH_PAYMENT_LEDGER_URL' } as const;
  return withDatabase(config, (sql) => withPostgres(source, (ledger) => use(sql, ledger)));
}

async function readFrontiers(admin: Admin): Promise<Evidence['frontiers']> {
  const [orderValidator, payment, kitchen, bridge] = await Promise.all([
    admin.committedOffsets(groups.orderValidator, topics.rawOrders),
    admin.committedOffsets(groups.payment, topics.validatedOrders),
    admin.committedOffsets(groups.kitchen, topics.validatedOrders),
    admin.committedOffsets(groups.bridge, topics.validatedOrders),
  ]);
  return { orderValidator, payment, kitchen, bridge };
}

function bridgeRule(config: ConnectedConfig): BridgeRule {
  const rule = highValueRule(config.ORDERMESH_BRIDGE_EVENTS, config.ORDERMESH_BRIDGE_MIN_TOTAL);
  return (type, value) => {
    try {
      return isHighValue(rule, type, () => JSON.parse(value?.toString() ?? ''));
    } catch {
      // No event of ours: the bridge parks it.
      return false;
    }
  };
}

/**
 * What the warehouse holds, or undefined where it was not asked, which `onNote` says. Without an emulator or credentials it is not asked: an audit
 * should not need cloud credentials.
 */
export async function eventsInWarehouse(
  config: ConnectedConfig,
  sinceMs: number,
  onNote: (line: string) => void = () => {},
): Promise<WarehouseEvents | undefined> {
  if (config.BIGQUERY_EMULATOR_HOST === undefined && process.env.GOOGLE_APPLICATION_CREDENTIALS === undefined) {
    onNote('warehouse: BigQuery is not configured');
    return undefined;
  }
  try {
    return await warehouseEvents(config, sinceMs);
  } catch (error) {
    onNote(`warehouse: not readable: ${(error as Error).message}`);
    return undefined;
  }
}
