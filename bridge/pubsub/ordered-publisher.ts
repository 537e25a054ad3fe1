import type { PubSub, Topic } from '@google-cloud/pubsub';
import { OutageError, UnexplainedError } from '../../runtime/actor.ts';
import { faultOf } from '../../runtime/outage.ts';
import { grpcFault, grpcStatus, statusOf } from './grpc-status.ts';
import { messageBytes, type OutgoingMessage } from './outgoing-message.ts';
import { Window } from './window.ts';

export interface OrderedPublisherOptions {
  topic: string;
  messagesMax: number;
  bytesMax: number;
  /** Longest time of one publish with the client's own retries, in milliseconds. */
  deadlineMs: number;
  /** Resolves when the topic exists and has its subscriptions. Called after a publish found no topic. */
  checkTopology(): Promise<void>;
}

/** Pub/Sub did not take the message and may take it later: unreachable, overloaded, no permission yet, topic gone. */
export class PubSubUnavailableError extends OutageError {
  override name = 'PubSubUnavailableError';
}

/** The publish failed, and the answer does not say whether Pub/Sub or the message is at fault. */
export class PublishUnexplainedError extends UnexplainedError {
  override name = 'PublishUnexplainedError';
}

/** Pub/Sub will never take this message, for example because it is too large. */
export class MessageRefusedError extends Error {
  override name = 'MessageRefusedError';
}

/** UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNKNOWN, CANCELLED: worth another try within the deadline. */
const RETRIED_CODES = [14, 4, 8, 10, 13, 2, 1];

/**
 * Publishes with ordering keys, bounded in messages and bytes in flight. The caller has at most one message of a key in flight: Pub/Sub takes
 * one key per request, so a batch never holds more than that message and is sent at once, without a batching delay.
 *
 * After a failed publish the client refuses the key until `resumePublishing`, and would keep the failed key. So the key is resumed at once: the caller
 * repeats the failed message before any later message of the key, which keeps their order.
 */
export class OrderedPublisher {
  readonly #topic: Topic;
  readonly #window: Window;
  readonly #options: OrderedPublisherOptions;
  #checking: Promise<boolean> | undefined;
  /** A publish found no topic. Until the topic has its subscriptions again, Pub/Sub would acknowledge messages that no subscription gets. */
  #isDoubtful = false;

  constructor(pubSub: PubSub, options: OrderedPublisherOptions) {
    this.#options = options;
    this.#window = new Window(options.messagesMax, options.bytesMax);
    this.#topic = pubSub.topic(options.topic, {
      messageOrdering: true,
      batching: { maxMessages: 1, maxMilliseconds: 1 },
      gaxOpts: { retry: { retryCodes: RETRIED_CODES, backoffSettings: backoff(options.deadlineMs) } },
    });
  }

  get outstanding(): { messages: number; bytes: number } {
    return this.#window.outstanding;
  }

  /** Keys that the client keeps a queue for: those of messages in flight, not those of failed messages. */
  get keysHeld(): number {
    return this.#topic.publisher.orderedQueues.size;
  }

  /**
   * Resolves when Pub/Sub has the message.
   * @throws PubSubUnavailableError, PublishUnexplainedError publish it again, it may or may not be there; MessageRefusedError it never will be.
   */
  async publish(message: OutgoingMessage): Promise<void> {
    const bytes = messageBytes(message);
    await this.#window.enter(bytes);
    try {
      if (this.#isDoubtful && !(await this.#check()))
        throw new PubSubUnavailableError('the topic was missing, and does not have its subscriptions yet');
      await this.#topic.publishMessage(message);
    } catch (error) {
      if (error instanceof PubSubUnavailableError) throw error;
      this.#topic.resumePublishing(message.orderingKey);
      const failure = publishFailure(error as Error);
      // A topic that isn't there, or a project that Pub/Sub can't make sense of, is not the message's fault.
      if (statusOf(error) !== grpcStatus.notFound && !(failure instanceof MessageRefusedError)) throw failure;
      this.#isDoubtful = true;
      throw (await this.#check()) ? failure : new PubSubUnavailableError(failure.message, { cause: error });
    } finally {
      this.#window.leave(bytes);
    }
  }

  /** Whether the topic is in place now. Many publishes may fail at once; they share one check. */
  #check(): Promise<boolean> {
    this.#checking ??= this.#options
      .checkTopology()
      .then(
        () => {
          this.#isDoubtful = false;
          return true;
        },
        // The failed publish, which then counts as an outage, and the upkeep of the topology both say so.
        () => false,
      )
      .finally(() => {
        this.#checking = undefined;
      });
    return this.#checking;
  }
}

/** Whether a failed publish can succeed later, by the table of status codes. Only a refusal of the content is final; a missing permission can be granted. */
export function publishFailure(error: Error): PubSubUnavailableError | PublishUnexplainedError | MessageRefusedError {
  const fault = grpcFault(statusOf(error));
  if (fault === 'message')
    return new MessageRefusedError(`Pub/Sub refused the message: ${error.message}`, { cause: error });
  const text = `Pub/Sub did not take the message: ${error.message}`;
  // Without a status of Pub/Sub the network may say what it was.
  return fault === 'outage' || faultOf(error) === 'outage'
    ? new PubSubUnavailableError(text, { cause: error })
    : new PublishUnexplainedError(text, { cause: error });
}

function backoff(deadlineMs: number) {
  const attemptMs = Math.min(5_000, deadlineMs);
  return {
    initialRetryDelayMillis: 100,
    retryDelayMultiplier: 2,
    maxRetryDelayMillis: 2_000,
    initialRpcTimeoutMillis: attemptMs,
    rpcTimeoutMultiplier: 1,
    maxRpcTimeoutMillis: attemptMs,
    totalTimeoutMillis: deadlineMs,
  };
}
