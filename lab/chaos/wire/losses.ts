// One answer that is to be lost, and how. injector.ts asks for it, wire.ts and connection.ts carry it out.

import { apiKeys, type RequestHead, type RequestKind } from './frames.ts';

/** What becomes of an answer: its connection is closed instead, it never comes, or it comes this much later and holds up all answers behind it. */
export type HowLost = { how: 'closed' } | { how: 'swallowed' } | { how: 'late'; lateMs: number };

export interface LossOptions {
  request: RequestKind;
  /** Clients whose id begins like this: the ids of a role's consumers and producers begin with its name. */
  client: string;
  lost: HowLost;
}

/** The answer to the next request that fits will be lost. */
export class Loss {
  readonly #options: LossOptions;
  readonly #met = Promise.withResolvers<void>();
  #isMet = false;
  #claimed = false;

  constructor(options: LossOptions) {
    this.#options = options;
  }

  get lost(): HowLost {
    return this.#options.lost;
  }

  /** Resolves once the answer is lost; a late one, once it is delivered. */
  get met(): Promise<void> {
    return this.#met.promise;
  }

  get isMet(): boolean {
    return this.#isMet;
  }

  /** A request went out whose answer will be lost. */
  get isClaimed(): boolean {
    return this.#claimed;
  }

  /** Takes the first request that fits, and no other. */
  claims({ apiKey, clientId }: RequestHead): boolean {
    const { request, client } = this.#options;
    if (this.#claimed || apiKey !== apiKeys[request] || !clientId.startsWith(client)) return false;
    this.#claimed = true;
    return true;
  }

  end(): void {
    this.#isMet = true;
    this.#met.resolve();
  }
}
