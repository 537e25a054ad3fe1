// Watches whether Kafka can take orders. Started by gateway.ts.

import { stopwatch } from '../../contracts/clock.ts';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { topics } from '../../contracts/topics.ts';
import { createTopicLog } from '../../kafka/index.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { StateLog } from '../../telemetry/state-log.ts';
import { AppendFailures } from './append-failures.ts';

const PROBE_INTERVAL_MS = 2_000;
/** When no append was acknowledged for this long, the gateway asks Kafka. */
const IDLE_MS = 5_000;
/** When Kafka does not answer a question within this time, the gateway takes that for an outage. */
const ANSWER_MS_MAX = 5_000;

export interface KafkaHealth {
  /** `undefined` while Kafka answers and has the topic, else the reason. */
  reason(): string | undefined;
  /** The reason, when Kafka's own answer, or the lack of an answer, gave it; `undefined` otherwise. */
  outage(): string | undefined;
  /** An append failed. Asks Kafka, and repeats the question until Kafka answers that it can take orders. */
  suspect(error: Error): void;
  /**
   * An append succeeded, which proves more than an answer of Kafka. Called for every order.
   * @returns whether the trouble is over: `false` while an append has failed lately
   */
  confirm(): boolean;
  close(): void;
}

export interface WatchKafkaOptions {
  logger?: Logger;
  ask?: typeof askKafka;
  now?: () => number;
}

/**
 * Knows whether Kafka can take orders, for readiness. Asks Kafka at start, after a failed append, and while no append is acknowledged, so that a gateway
 * without traffic notices an outage and its end. While orders are acknowledged, it asks nothing.
 */
export function watchKafka(cluster: KafkaCluster, options: WatchKafkaOptions = {}): KafkaHealth {
  const { ask = askKafka, now = () => stopwatch.now(), logger } = options;
  const states = logger && new StateLog(logger);
  let reason: string | undefined = 'not reached yet';
  /** Kafka's last answer. */
  let outage: string | undefined;
  let asking = false;
  /** Appends that were acknowledged. */
  let proofs = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const failures = new AppendFailures(now);

  async function probe(): Promise<void> {
    timer = undefined;
    asking = true;
    const asked = proofs;
    // An append that was acknowledged after the question was sent proves more than the answer. An append that failed after that asks again.
    const take = (answer: string | undefined) => {
      if (proofs === asked) judge(answer);
    };
    // One question at a time: the client tries the other brokers by itself.
    const silence = setTimeout(take, ANSWER_MS_MAX, `Kafka has not answered a question for ${ANSWER_MS_MAX / 1_000} s`);
    const answer = await ask(cluster, logger);
    clearTimeout(silence);
    asking = false;
    take(answer);
    if (reason !== undefined) again(PROBE_INTERVAL_MS);
  }

  function setOutage(answer: string | undefined): void {
    outage = answer;
    if (outage === undefined) states?.end('outage', 'Kafka answers the gateway again');
    else states?.begin('outage', `Kafka cannot take orders: ${outage}; the gateway asks again until it can`);
  }

  function judge(answer: string | undefined): void {
    setOutage(answer);
    if (outage === undefined) failures.answeredWell();
    else failures.explained();
    if (outage !== undefined || !failures.contradictAnswers()) reason = outage;
  }

  function again(afterMs: number): void {
    if (closed || asking || timer !== undefined) return;
    timer = setTimeout(() => void probe(), afterMs).unref();
  }

  void probe();
  let proofsSeen = 0;
  const idle = setInterval(() => {
    if (proofs === proofsSeen) again(0);
    proofsSeen = proofs;
  }, IDLE_MS).unref();
  return {
    reason: () => reason,
    outage: () => outage,
    suspect(error) {
      // During a trouble, a question after each failure would ask as often as clients send orders; one every two seconds is enough.
      again(reason === undefined ? 0 : PROBE_INTERVAL_MS);
      failures.failed();
      reason = error.message;
    },
    confirm() {
      proofs++;
      if (reason === undefined && !failures.isOpen) return true;
      setOutage(undefined);
      if (!failures.refuted()) return false;
      reason = undefined;
      clearTimeout(timer);
      timer = undefined;
      return true;
    },
    close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(idle);
    },
  };
}

/** Asks for the topic by name: then the broker says why this client may not see the topic. A list of all topics would only leave it out. */
async function askKafka(cluster: KafkaCluster, logger?: Logger): Promise<string | undefined> {
  const topic = topics.rawOrders;
  const log = createTopicLog({ clientId: 'ordermesh-gateway-health', cluster, topic });
  try {
    const look = await log.look([]);
    if (look === undefined) return `topic ${topic} does not exist; create it with \`ordermesh topics apply\``;
    const seen = await log.look(Array.from({ length: look.partitions }, (_, partition) => partition));
    return seen?.ranges.size === 0 ? `no partition of topic ${topic} has a leader that answers` : undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    // Connections that failed are reported by the answer; a connection that does not close as well is of interest only to a developer.
    await log
      .close()
      .catch((error: Error) => logger?.debug({ err: error }, 'the connection of a question to Kafka did not close'));
  }
}
