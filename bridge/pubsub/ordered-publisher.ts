// Publishes messages to Pub/Sub, those of one order in their order. Used by the bridge's actor.

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
  /** Resolves if the topic exists and has its subscriptions, and rejects otherwise. Called after a publish found no topic. */
  checkTopology(): Promise<void>;
}

/** Pub/Sub did not take the message and may take it later: Pub/Sub is unreachable or overloaded, a permission or the topic is missing. */
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

/*
 * The ordered publish. Pub/Sub delivers messages with the same ordering key in the order in which it received them. So the events of an
 * order arrive in order if they are received in order. Two things could break that: the client's queue and a failure.
 *
 * What the client does. It keeps one queue per ordering key and sends the batches of a key one after the other. When a batch fails, the
 * messages queued behind it must not be sent, so the client refuses the key: every `publishMessage` of this key fails at once until
 * `resumePublishing(key)`. It keeps the refused key in memory until then.
 *
 * What we do. We call `resumePublishing` as soon as the failure arrives. That looks like the mistake against which the refusal protects:
 *
 *   placed  is sent and fails; paid is queued behind it      the client refuses the key
 *   resume                                                   paid is sent
 *   placed  is repeated by its caller                        Pub/Sub has received paid, placed: the wrong order, for ever
 *
 * It is safe here because nothing is ever queued behind. The publish is the `prepare` of the bridge's actor, and a slot has at most one
 * message of a key between ready and finished. `paid` begins after `placed` is finished. After a failure the slot repeats `placed`, or
 * parks it, and then `paid` goes to the dead letters behind it. The order is kept by the mailbox; the client's refusal adds nothing.
 *
 * Without the resume, two things go wrong: the repetition is refused too, without a request to Pub/Sub, so that the message never goes
 * through; and each key that ever failed stays in memory. Keys are orders, so there is no end to them.
 *
 * A failed publish may have succeeded: after a timeout we don't know. The repetition is then a duplicate with the same event id, and a
 * first try that was slow in the network may even arrive after later events. Readers count an event id once and order events by their
 * `sequence` (sequence.ts), so neither matters.
 *
 * No batching delay: Pub/Sub takes one ordering key per request, and there is one message per key. A batch of one is sent at once.
 *
 * A missing topic. When a topic was deleted and created again without its subscriptions, Pub/Sub acknowledges messages that no
 * subscription gets. Kafka's offset would move on, and the events would be lost. So after the answer "no such topic", and after a refusal
 * that may come from a broken project, nothing is published before `checkTopology` has seen topic and subscriptions (`#isDoubtful`).
 * A refusal counts against the message only if the topology is in place.
 *
 * If you change this file or its caller:
 * - Never publish a message of a key before the earlier one has an answer. To speed up, raise the number of keys in flight.
 * - Every failure of the client must reach `resumePublishing`. `keysHeld` shows keys that were forgotten.
 * - Every `enter` of the window needs its `leave`, on each way out, or the bridge stands still when the window is full.
 */

/**
 * Publishes messages with ordering keys; bounds the messages and bytes in flight. The bridge's actor calls `publish` in its `prepare` and
 * guarantees that at most one message of a key is in flight.
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

  /** Keys for which the client keeps a queue. Only messages in flight have one, because a failed key is resumed. */
  get keysHeld(): number {
    return this.#topic.publisher.orderedQueues.size;
  }

  /**
   * Resolves when Pub/Sub has the message.
   * @throws PubSubUnavailableError, PublishUnexplainedError: Pub/Sub may or may not have the message; publish it again.
   * @throws MessageRefusedError: Pub/Sub will never take the message.
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
      // A missing topic or a broken project is not the message's fault, so a refusal is believed only if the topology is in place.
      if (statusOf(error) !== grpcStatus.notFound && !(failure instanceof MessageRefusedError)) throw failure;
      this.#isDoubtful = true;
      throw (await this.#check()) ? failure : new PubSubUnavailableError(failure.message, { cause: error });
    } finally {
      this.#window.leave(bytes);
    }
  }

  /** Whether the topic and its subscriptions exist now. Publishes that fail together share one check. */
  #check(): Promise<boolean> {
    this.#checking ??= this.#options
      .checkTopology()
      .then(
        () => {
          this.#isDoubtful = false;
          return true;
        },
        // Not logged here: the failed publish counts as an outage and is logged, and so is the failure of the role's upkeep.
        () => false,
      )
      .finally(() => {
        this.#checking = undefined;
      });
    return this.#checking;
  }
}

const PREVIOUS_ATTEMPTS = /\s*: Previous errors : \[.*$/s;

/** Decides by the gRPC status whether the same publish can succeed later. Only a refusal of the content is final. */
export function publishFailure(error: Error): PubSubUnavailableError | PublishUnexplainedError | MessageRefusedError {
  // google-gax appends each attempt before the last one, kilobytes of the same words, and loggers write causes too.
  error.message = error.message.replace(PREVIOUS_ATTEMPTS, '');
  const fault = grpcFault(statusOf(error));
  if (fault === 'message')
    return new MessageRefusedError(`Pub/Sub refused the message: ${error.message}`, { cause: error });
  const text = `Pub/Sub did not take the message: ${error.message}`;
  // An error without a gRPC status may come from the network.
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
