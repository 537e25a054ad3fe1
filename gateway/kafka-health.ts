import { stopwatch } from '../contracts/clock.ts';
import { topics } from '../contracts/topics.ts';
import { createTopicLog } from '../kafka/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import { StateLog } from '../telemetry/state-log.ts';

const PROBE_INTERVAL_MS = 2_000;
/** Without an acknowledged append for this long, Kafka is asked. */
const IDLE_MS = 5_000;
/** A question that is not answered by then is answered: Kafka is silent. */
const ANSWER_MS_MAX = 5_000;
/**
 * An answer that a failed append contradicts within this time is not believed for as long again: Kafka answers, and takes no orders. Acknowledged
 * appends end a trouble only when none has failed for this long: they may be of other partitions than those that failed.
 */
const BELIEVED_MS = 15_000;

export interface KafkaHealth {
  /** `undefined` while Kafka answers and has the topic, else the reason. */
  reason(): string | undefined;
  /** The reason, if Kafka itself was asked and said so, or did not answer. */
  outage(): string | undefined;
  /** An append failed: ask Kafka, and again until it answers. */
  suspect(error: Error): void;
  /**
   * An append succeeded, which proves more than any question. Called for every order.
   * @returns whether that ends what failed before: `false` while an append has failed lately
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
 * Whether Kafka can take orders, for readiness: asked at start, after a failed append, and while no append is acknowledged, so that an instance
 * without traffic learns of an outage and of its end. A gateway whose orders are acknowledged asks nothing.
 */
export function watchKafka(brokers: string[], options: WatchKafkaOptions = {}): KafkaHealth {
  const { ask = askKafka, now = () => stopwatch.now(), logger } = options;
  const states = logger && new StateLog(logger);
  let reason: string | undefined = 'not reached yet';
  /** The last answer to a question of ours. */
  let outage: string | undefined;
  let asking = false;
  /** Appends that were acknowledged. */
  let proofs = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  /** When Kafka last said that all is well. */
  let wellAt = Number.NEGATIVE_INFINITY;
  /** Until then its word counts for nothing against the appends that failed. */
  let doubtedUntil = Number.NEGATIVE_INFINITY;
  /** When an append last failed, while that is neither over nor explained by an outage. */
  let failedAt: number | undefined;
  /** When an append was last acknowledged in spite of a trouble. */
  let provenAt = Number.NEGATIVE_INFINITY;

  async function probe(): Promise<void> {
    timer = undefined;
    asking = true;
    const asked = proofs;
    // An append that was acknowledged since the question proves more than its answer; one that failed since then asks again.
    const take = (answer: string | undefined) => {
      if (proofs === asked) judge(answer);
    };
    // One question at a time: the client tries other brokers on its own, and answers once one of them does.
    const silence = setTimeout(take, ANSWER_MS_MAX, `Kafka has not answered a question for ${ANSWER_MS_MAX / 1_000} s`);
    const answer = await ask(brokers);
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
    if (outage === undefined) wellAt = now();
    // Nothing is acknowledged and Kafka does not answer: this explains the appends that failed, and when it ends, they say nothing more.
    else if (now() - provenAt >= BELIEVED_MS) forgetFailures();
    if (outage !== undefined || now() >= doubtedUntil) reason = outage;
  }

  function forgetFailures(): void {
    wellAt = Number.NEGATIVE_INFINITY;
    doubtedUntil = Number.NEGATIVE_INFINITY;
    failedAt = undefined;
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
      // What was asked lately says how things are; a question right behind each failure would ask as often as clients do.
      again(reason === undefined ? 0 : PROBE_INTERVAL_MS);
      failedAt = now();
      if (failedAt - wellAt < BELIEVED_MS) doubtedUntil = failedAt + BELIEVED_MS;
      reason = error.message;
    },
    confirm() {
      proofs += 1;
      if (reason === undefined && failedAt === undefined) return true;
      provenAt = now();
      setOutage(undefined);
      if (failedAt !== undefined && provenAt - failedAt < BELIEVED_MS) return false;
      reason = undefined;
      forgetFailures();
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

/** By name: the broker says then why it keeps a topic from us, which a list of topics only leaves out. */
async function askKafka(brokers: string[]): Promise<string | undefined> {
  const topic = topics.rawOrders;
  const log = createTopicLog({ clientId: 'ordermesh-gateway-health', brokers, topic });
  try {
    const look = await log.look([]);
    if (look === undefined) return `topic ${topic} does not exist; create it with \`ordermesh topics apply\``;
    const seen = await log.look(Array.from({ length: look.partitions }, (_, partition) => partition));
    return seen?.ranges.size === 0 ? `no partition of topic ${topic} has a leader that answers` : undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    // Its connections may have failed already, which the answer says.
    await log.close().catch(() => {});
  }
}
