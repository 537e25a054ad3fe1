// A pull subscription that survives errors. The warehouse reads by it.

import { Duration, type Message, type PubSub, type Subscription } from '@google-cloud/pubsub';
import type { Logger } from '../../telemetry/logger.ts';
import { StateLog } from '../../telemetry/state-log.ts';

export interface SteadySubscriptionOptions {
  subscription: string;
  messagesMax: number;
  bytesMax: number;
  /** Wait before the stream is opened again after an error. */
  reopenMs: number;
  /** Called before the stream is opened again, for example to create a lost subscription again. When it rejects, it is called again later. */
  prepare(): Promise<void>;
  /** Messages that were given to `onMessage` and are not acknowledged yet, including those of earlier streams. */
  held(): { messages: number; bytes: number };
  onMessage(message: Message): void;
  logger: Logger;
}

/**
 * Leases are extended for as long as the subscription keeps a message. So messages that are held while the reader behind is down still
 * count against the limit: pulling stops, and the backlog grows in Pub/Sub and not here.
 */
const LEASE_MAX = Duration.from({ hours: 7 * 24 });

/** Time to return messages and to send acknowledgements. Without an answer of Pub/Sub the leases end by themselves. */
const CLOSE_TIMEOUT = Duration.from({ seconds: 5 });

/** A stream counts as recovered after this long without an error; a refused stream ends within two seconds. */
const STEADY_MS = 5_000;

/**
 * A streaming pull that is opened again after every error; the client itself gives up on NOT_FOUND and similar errors. The client's limit
 * is per stream: while messages are not acknowledged, each new stream would bring as many again. So a stream is opened only while less than
 * the limit is held, and at most twice the limit is ever held.
 */
export class SteadySubscription {
  readonly #pubSub: PubSub;
  readonly #options: SteadySubscriptionOptions;
  readonly #states: StateLog;
  #current: Subscription | undefined;
  #timer: NodeJS.Timeout | undefined;
  #steady: NodeJS.Timeout | undefined;
  #closed = false;
  #problem: string | undefined = 'subscription not open yet';

  constructor(pubSub: PubSub, options: SteadySubscriptionOptions) {
    this.#pubSub = pubSub;
    this.#options = options;
    this.#states = new StateLog(options.logger);
    void this.#open();
  }

  /** Why no stream is open, or `undefined`. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Stops pulling and sends the acknowledgements that are still to be sent. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#steady);
    await this.#current?.close();
  }

  async #open(): Promise<void> {
    const { subscription: name, messagesMax, bytesMax } = this.#options;
    try {
      await this.#options.prepare();
    } catch (error) {
      return this.#reopenLater(error as Error);
    }
    if (this.#closed) return;
    const { messages, bytes } = this.#options.held();
    if (messages >= messagesMax || bytes >= bytesMax)
      return this.#reopenLater(new Error(`${messages} messages of a stream that has ended are still held`));
    const subscription = this.#pubSub.subscription(name, {
      flowControl: { maxMessages: messagesMax, maxBytes: bytesMax, allowExcessMessages: false },
      maxExtensionTime: LEASE_MAX,
      streamingOptions: { maxStreams: 1 },
      closeOptions: { behavior: 'NACK', timeout: CLOSE_TIMEOUT },
    });
    this.#current = subscription;
    this.#problem = undefined;
    this.#steady = setTimeout(() => this.#states.end('ended', 'pull stream open again'), STEADY_MS);
    subscription.on('error', (error: Error) => {
      if (this.#current !== subscription) return;
      this.#current = undefined;
      // A failed close loses nothing: Pub/Sub delivers the messages again. `#reopenLater` logs the error that ended the stream.
      void subscription.close().catch(() => {});
      this.#reopenLater(error);
    });
    // The listener stays until the end: without a listener the client closes at once and drops unsent acknowledgements.
    subscription.on('message', (message: Message) => {
      if (this.#closed) message.nack();
      else this.#options.onMessage(message);
    });
  }

  #reopenLater(error: Error): void {
    if (this.#closed) return;
    this.#states.begin('ended', 'pull stream ended; opening it again', { err: error });
    clearTimeout(this.#steady);
    this.#problem = error.message;
    this.#timer = setTimeout(() => void this.#open(), this.#options.reopenMs);
  }
}
