import { topics } from '../contracts/topics.ts';
import { KafkaUnavailableError, type RecordProducer } from '../kafka/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Intake } from './intake.ts';
import type { KafkaHealth } from './kafka-health.ts';

export interface KafkaIntakeOptions {
  producer: RecordProducer;
  health: KafkaHealth;
  logger: Logger;
}

/**
 * Orders become durable in Kafka: acknowledged by all in-sync replicas of `raw-orders`. Once an order was not acknowledged in time and
 * Kafka does not answer a question either, orders are refused at once instead of waiting for their deadline each, until it answers.
 */
export function createKafkaIntake({ producer, health, logger }: KafkaIntakeOptions): Intake {
  /** The last answer was an error: an outage is logged twice, at its begin and its end, and not per order. */
  let failing = false;

  function turn(error: Error | null): void {
    if (error !== null) health.suspect(error);
    else health.confirm();
    if (failing === (error !== null)) return;
    failing = error !== null;
    if (failing) logger.error({ err: error }, 'Kafka does not acknowledge orders; they are refused until it does');
    else logger.info('Kafka acknowledges orders again');
  }

  return {
    accept({ orderId, value, headers, commonHeaders }, done) {
      if (failing) {
        const reason = health.outage();
        if (reason !== undefined) {
          setImmediate(done, new KafkaUnavailableError(reason));
          return;
        }
      }
      producer.append({ topic: topics.rawOrders, key: orderId, value, headers, commonHeaders }, (error) => {
        if (error !== null || failing) turn(error);
        done(error);
      });
    },
    readiness: () => health.reason(),
    async close() {
      health.close();
      await producer.close();
    },
  };
}
