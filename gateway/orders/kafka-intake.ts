// The intake of the gateway: appends orders to Kafka. Created by gateway.ts.

import type { Clock } from '../../contracts/clock.ts';
import { commonEventHeaders, keyEventHeaders, occurrenceHeaders } from '../../contracts/headers.ts';
import { topics } from '../../contracts/topics.ts';
import {
  KafkaUnavailableError,
  PartitionUnavailableError,
  type RecordProducer,
  RecordRefusedError,
  RecordTooLargeError,
} from '../../kafka/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { stateEnded } from '../../telemetry/state-log.ts';
import { type Intake, IntakeRefusal } from './intake.ts';
import type { KafkaHealth } from './kafka-health.ts';

export interface KafkaIntakeOptions {
  producer: RecordProducer;
  health: KafkaHealth;
  logger: Logger;
  clock: Clock;
  /** CloudEvents source of the events, for example `/ordermesh/gateway/east`. */
  source: string;
}

/** When no order was refused for a partition for this long, its trouble counts as over: it takes orders again, or no orders come for it. */
const STANDING_QUIET_MS = 30_000;
/** While one partition refuses orders, another partition must take an order within this time; otherwise the gateway is not ready. */
const TAKEN_MS_MAX = 5_000;

/**
 * Orders become durable in Kafka: acknowledged by all in-sync replicas of `raw-orders`. When an order was not acknowledged in time and
 * Kafka does not answer a question either, further orders are refused at once, until Kafka answers. Otherwise each would wait for its deadline.
 */
export function createKafkaIntake({ producer, health, logger, clock, source }: KafkaIntakeOptions): Intake {
  const type = 'order.placed';
  const commonHeaders = { fixed: commonEventHeaders({ source, type }), afterKey: keyEventHeaders(type) };
  const topic = topics.rawOrders;
  /** Whether orders fail now. An outage is logged at its begin and at its end, and not per order. */
  let failing = false;

  function failed(error: Error): void {
    health.suspect(error);
    if (failing) return;
    failing = true;
    logger.error({ err: error }, 'Kafka does not acknowledge orders; they are refused until it does');
  }

  function acknowledged(): void {
    if (!health.confirm() || !failing) return;
    failing = false;
    logger.info(stateEnded, 'Kafka acknowledges orders again');
  }

  /** Partitions that take no orders, by the reason, with the timer that ends the state. Other partitions take orders, so the gateway stays ready. */
  const standing = new Map<string, NodeJS.Timeout>();

  /** Whether an order was acknowledged since `takenSince`. */
  let taken = true;
  let takenSince = 0;

  function stands(error: PartitionUnavailableError): void {
    const at = clock.now();
    if (Math.abs(at - takenSince) >= TAKEN_MS_MAX) {
      // No partition takes orders, so the trouble is not that of one partition.
      if (!taken) failed(error);
      taken = false;
      takenSince = at;
    }
    const { message } = error;
    const known = standing.get(message);
    if (known !== undefined) {
      known.refresh();
      return;
    }
    logger.error({ reason: message }, 'one partition takes no orders; its orders are refused until it does');
    const end = () => {
      standing.delete(message);
      logger.info({ ...stateEnded, reason: message }, 'no order was refused for the partition for a while');
    };
    standing.set(message, setTimeout(end, STANDING_QUIET_MS).unref());
  }

  let timeMs = 0;
  let time = '';
  /** RFC 3339 text of now, made once a millisecond. */
  function now(): string {
    const ms = clock.now();
    if (ms !== timeMs) {
      timeMs = ms;
      time = new Date(ms).toISOString();
    }
    return time;
  }

  let refusalLogged = '';
  /** Kafka works, and will never take this order. So the client gets a refusal, and not a 503 that asks for a retry. */
  function refusal(error: RecordRefusedError): IntakeRefusal {
    if (error.message !== refusalLogged)
      logger.warn({ err: error }, 'Kafka refuses orders for good; each is answered so');
    refusalLogged = error.message;
    const code = error instanceof RecordTooLargeError ? 'body-too-large' : 'invalid-order';
    return new IntakeRefusal(code, `the order log will not take this order, now or later: ${error.message}`);
  }

  return {
    accept({ orderId: key, value, traceparent, requestId }, done) {
      if (failing) {
        const reason = health.outage();
        if (reason !== undefined) {
          setImmediate(done, new KafkaUnavailableError(reason));
          return;
        }
      }
      const headers = occurrenceHeaders({ time: now(), traceparent, requestId });
      producer.append({ topic, key, value, commonHeaders, headers }, (error) => {
        if (error instanceof RecordRefusedError) {
          done(refusal(error));
          return;
        }
        if (error === null) {
          taken = true;
          acknowledged();
        } else if (error instanceof PartitionUnavailableError) stands(error);
        else failed(error);
        done(error);
      });
    },
    readiness: () => health.reason(),
    remark() {
      const [reason] = standing.keys();
      return reason === undefined ? undefined : `one partition takes no orders; its orders get 503: ${reason}`;
    },
    async close() {
      health.close();
      for (const timer of standing.values()) clearTimeout(timer);
      await producer.close();
    },
  };
}
