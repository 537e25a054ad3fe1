import { stopwatch } from '../contracts/clock.ts';
import { topics } from '../contracts/topics.ts';
import { createTopicLog } from '../kafka/index.ts';

const PROBE_INTERVAL_MS = 2_000;
/** An answer that a failed append contradicts within this time is not believed for as long again: Kafka answers, and takes no orders. */
const BELIEVED_MS = 15_000;

export interface KafkaHealth {
  /** `undefined` while Kafka answers and has the topic, else the reason. */
  reason(): string | undefined;
  /** The reason, if Kafka itself was asked and said so, or did not answer. */
  outage(): string | undefined;
  /** An append failed: ask Kafka, and again until it answers. */
  suspect(error: Error): void;
  /** An append succeeded, which proves more than any question. */
  confirm(): void;
  close(): void;
}

/**
 * Whether Kafka can take orders, for readiness: asked at start and after a failed append, so that an instance without traffic
 * becomes ready again by itself. A healthy gateway asks nothing.
 */
export function watchKafka(brokers: string[], ask = askKafka, now = () => stopwatch.now()): KafkaHealth {
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

  async function probe(): Promise<void> {
    timer = undefined;
    asking = true;
    const asked = proofs;
    const answer = await ask(brokers);
    asking = false;
    // An append that was acknowledged since the question proves more than its answer; one that failed since then asks again.
    if (proofs !== asked) {
      if (reason !== undefined) again(PROBE_INTERVAL_MS);
      return;
    }
    outage = answer;
    if (outage === undefined) wellAt = now();
    if (outage !== undefined || now() >= doubtedUntil) reason = outage;
    if (reason !== undefined) again(PROBE_INTERVAL_MS);
  }

  function again(afterMs: number): void {
    if (closed || asking || timer !== undefined) return;
    timer = setTimeout(() => void probe(), afterMs).unref();
  }

  void probe();
  return {
    reason: () => reason,
    outage: () => outage,
    suspect(error) {
      // What was asked lately says how things are; a question right behind each failure would ask as often as clients do.
      again(reason === undefined ? 0 : PROBE_INTERVAL_MS);
      if (now() - wellAt < BELIEVED_MS) doubtedUntil = now() + BELIEVED_MS;
      reason = error.message;
    },
    confirm() {
      proofs += 1;
      reason = undefined;
      outage = undefined;
      wellAt = Number.NEGATIVE_INFINITY;
      doubtedUntil = Number.NEGATIVE_INFINITY;
      clearTimeout(timer);
      timer = undefined;
    },
    close() {
      closed = true;
      clearTimeout(timer);
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
