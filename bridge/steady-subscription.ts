import { Duration, type Message, type PubSub, type Subscription } from '@google-cloud/pubsub';
import type { Logger } from '../telemetry/logger.ts';
import { StateLog } from '../telemetry/state-log.ts';

export interface SteadySubscriptionOptions {
  subscription: string;
  messagesMax: number;
  bytesMax: number;
  /** Wait before the stream is opened again after an error, in milliseconds. */
  reopenMs: number;
  /** Called before the stream is opened again, for example to create a lost subscription anew. May reject: then it is tried again. */
  prepare(): Promise<void>;
  /** What was handed over and is not acknowledged yet, by streams that have ended as well. */
  held(): { messages: number; bytes: number };
  onMessage(message: Message): void;
  logger: Logger;
}

/**
 * Leases are extended for as long as the subscription itself would keep a message. So what is held while the reader behind it is down
 * still counts against the bound: pulling stops, and the backlog grows in Pub/Sub and not in here.
 */
const LEASE_MAX = Duration.from({ hours: 7 * 24 });

/** What is held is given back and acknowledgements are sent, unless Pub/Sub doesn't answer: then both happen when the lease ends. */
const CLOSE_TIMEOUT = Duration.from({ seconds: 5 });

/** A stream that has been open for this long without an error has come back; one that is refused ends within a second or two. */
const STEADY_MS = 5_000;

/**
 * A streaming pull that opens itself again after every error; the client alone gives up on NOT_FOUND and the like. The client's bound is one stream's:
 * while its readers stand, each new stream would bring as much again. So a stream is opened only while less than the bound is held, and no more than
 * twice the bound is ever held.
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

  /** Why nothing is pulled at the moment, or `undefined`. */
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
      // What it had is delivered again; the error that ended it is told below.
      void subscription.close().catch(() => {});
      this.#reopenLater(error);
    });
    // The listener stays until the end: without one the client would close at once, and drop what it has still to send.
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
