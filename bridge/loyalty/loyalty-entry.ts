/**
 * The entry point for Cloud Functions: registers the function `loyalty`. Its settings come from the usual variables. The schema must have
 * been migrated by `ordermesh loyalty` or a worker.
 */
import { cloudEvent } from '@google-cloud/functions-framework';
import { ConfigError, loadConfig } from '../../contracts/config/config.ts';
import { BoundedPool, databaseOf } from '../../store/index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createLoyaltyHandler } from './loyalty-handler.ts';

const config = loadConfig();
const database = databaseOf(config);
if (database === undefined)
  throw new ConfigError('the loyalty function needs DATABASE_URL, the PostgreSQL of the points ledger');
const logger = createLogger('loyalty', config.ORDERMESH_LOG_LEVEL);

/** An instance handles several requests at a time, and there can be many instances, so each has few connections. */
const CONNECTIONS = 2;
/** Shorter than Pub/Sub's wait for the answer to a push. */
const LEDGER_MS_MAX = 10_000;

cloudEvent(
  'loyalty',
  createLoyaltyHandler({
    pool: new BoundedPool({
      server: database,
      connections: CONNECTIONS,
      application: 'loyalty',
      answerMsMax: LEDGER_MS_MAX,
    }),
    onFailure: (reason, messageId) =>
      logger.error({ reason, messageId }, 'the ledger can not be written; Pub/Sub pushes again'),
    unitsPerPoint: config.ORDERMESH_LOYALTY_UNITS_PER_POINT,
    onOutcome(outcome, points, reason) {
      if (outcome === 'refused') logger.warn({ reason }, 'pushed message refused; recorded in loyalty_refused');
      else logger.debug({ outcome, points }, 'pushed message handled');
    },
  }),
);
