/** The room's door: what other rooms import. */
export { BoundedPool } from './database/bounded-pool.ts';
export { type DatabaseServer, databaseOf, ledgerOf, serverAt } from './database/connection/database-server.ts';
export {
  connectDatabase,
  type Database,
  type DatabaseOptions,
  inTransaction,
  type Transaction,
  type TurnSql,
} from './database/database.ts';
export { SessionPool } from './database/session-pool.ts';
export { sqlFault } from './database/sql-states.ts';
export { knownUntil, PROMOTE_S_MAX, promote, standbyLagBytes, standbyStatus } from './database/standby.ts';
export { withDatabase } from './database/with-database.ts';
export { withPostgres } from './database/with-postgres.ts';
export { type RecordedAct, readActItems, readActs } from './dead-letters/act-log.ts';
export { discardDeadLetters, type KeyPlace, requestReplay, stopReplay } from './dead-letters/dead-letter-acts.ts';
export { type DeadLetterFate, databaseTime } from './dead-letters/dead-letter-fates.ts';
export { pruneDeadLetters } from './dead-letters/dead-letter-retention.ts';
export {
  type DeadLetter,
  type DeadLetterFilter,
  type NewDeadLetter,
  readDeadLetters,
  recordDeadLetter,
  type TraceStep,
  traceOf,
} from './dead-letters/dead-letters.ts';
export { loadParkedKeys, type ParkedKey, type Parking, parkKey, type SettledKey } from './dead-letters/parked-keys.ts';
export {
  applyReplayed,
  type FailureStep,
  failReplayed,
  keysInReplay,
  nextOfReplay,
  type OwnedKey,
  paceReplay,
  type ReplayStep,
  type SettledElsewhere,
  settleReplayed,
} from './dead-letters/replays.ts';
export { restoreDeadLetters } from './dead-letters/restore-letters.ts';
export {
  type AvailabilityChange,
  AvailabilityError,
  changeAvailability,
  type Outage,
  readOutages,
  unavailableItems,
} from './menus/availability.ts';
export {
  type Catalog,
  type CatalogItem,
  type CatalogStore,
  type MenuTimeline,
  menuVersion,
  readCatalog,
  readPositions,
  readTimeline,
  versionAt,
} from './menus/catalog.ts';
export { readMenuStates, readStoreMenu } from './menus/store-menu.ts';
export { type ListedVersion, listVersions } from './menus/versions.ts';
export { auditDatabase, type DatabaseFault, type OrderEffects } from './orders/audit.ts';
export { creditPoints, type PointsEntry, probeLedger, recordRefused } from './orders/loyalty.ts';
export { loadMenu } from './orders/menu.ts';
export { isStoreOnMenu, type MenuNames, readMenuNames } from './orders/menu-names.ts';
export { orderStatus } from './orders/order-status.ts';
export {
  type DecidedOrder,
  findDecisions,
  insertDecisions,
  type KnownDecision,
  type LoggedConflict,
  type NewConflict,
  recordConflicts,
  restoreConflicts,
  type StoredConflict,
} from './orders/orders.ts';
export { chargesOf, type LedgerPayment, paymentsOf } from './orders/payment-ledger.ts';
export { type NewPayment, type PaymentOutcome, recordPayments, type StoredPayment } from './orders/payments.ts';
export {
  type Dispute,
  type DisputeNews,
  listDisputes,
  type ProviderEvent,
  recordProviderEvent,
} from './orders/provider-events.ts';
export { bookCharges, type LedgerCharge } from './orders/provider-ledger.ts';
export { bookRefund, type LedgerMovement, type LedgerRefund, ledgerMovements } from './orders/provider-refunds.ts';
export { giveBackStock, lockShelves, type Shelf, writeShelves } from './orders/stock.ts';
export { addVelocity, purgeVelocity, type VelocityCount, velocityKey } from './orders/velocity.ts';
export { claimEpochs, holdEpochs, type Subscription, stalePartitions } from './partitions/epochs.ts';
export {
  decideLog,
  type EnteredLog,
  enterLogs,
  knownLogs,
  knownTopics,
  type LogChange,
  type LogProgress,
  noteProgress,
  noteSkipped,
  readSkipped,
  type SeenLog,
  type SkippedRange,
  type SkipReason,
} from './partitions/partition-logs.ts';
export { acceptPartitions, partitionHistory, rememberPartitions } from './partitions/topic-partitions.ts';
export { type Migrated, migrate, migrateAt } from './schema/migrate.ts';
export { DatabaseNotReadyError, readyDatabase, readyDatabaseOf } from './schema/ready-database.ts';
export { roleStatements } from './schema/role-statements.ts';
export { whenDatabaseReady } from './schema/when-ready.ts';
export {
  type AdmittedScreen,
  admitPairing,
  admitToken,
  findPairing,
  findScreen,
  listScreens,
  type NewPairing,
  openPairing,
  type Pairing,
  pairingOf,
  renewScreens,
  revokeScreens,
  type ScreenRow,
} from './screens/screens.ts';
export {
  openTicketCounts,
  openTickets,
  recentlyCooked,
  type StoreTicketCount,
  type Ticket,
  ticketsById,
} from './tickets/ticket-board.ts';
export { TicketListener } from './tickets/ticket-listener.ts';
export {
  type IgnoredKitchenEvent,
  lockTickets,
  moveTickets,
  notifyTickets,
  openTicketsFor,
  recordIgnored,
  type TicketMove,
  type TicketPosition,
} from './tickets/tickets.ts';
