import { topics } from '../contracts/topics.ts';
import { createAdmin } from '../kafka/index.ts';

const PROBE_INTERVAL_MS = 2_000;

export interface KafkaHealth {
  /** `undefined` while Kafka answers and has the topic, else the reason. */
  reason(): string | undefined;
  /** An append failed: ask Kafka again until it answers. */
  suspect(error: Error): void;
  /** An append succeeded, which proves more than any question. */
  confirm(): void;
  close(): void;
}

/**
 * Whether Kafka can take orders, for readiness: asked at start and after a failed append, so that an instance without traffic
 * becomes ready again by itself. A healthy gateway asks nothing.
 */
export function watchKafka(brokers: string[]): KafkaHealth {
  let reason: string | undefined = 'not reached yet';
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function probe(): Promise<void> {
    timer = undefined;
    reason = await askKafka(brokers);
    if (reason !== undefined) again();
  }

  function again(): void {
    if (closed || timer !== undefined) return;
    timer = setTimeout(() => void probe(), PROBE_INTERVAL_MS).unref();
  }

  void probe();
  return {
    reason: () => reason,
    suspect(error) {
      reason = error.message;
      again();
    },
    confirm() {
      reason = undefined;
      clearTimeout(timer);
      timer = undefined;
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

async function askKafka(brokers: string[]): Promise<string | undefined> {
  try {
    const admin = await createAdmin({ clientId: 'ordermesh-gateway-health', brokers });
    try {
      const known = await admin.listTopics();
      return known.includes(topics.rawOrders)
        ? undefined
        : `topic ${topics.rawOrders} does not exist; create it with \`ordermesh topics apply\``;
    } finally {
      await admin.close();
    }
  } catch (error) {
    return (error as Error).message;
  }
}
