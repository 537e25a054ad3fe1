// The interface of the transports. Implemented in this folder, used by sender.ts.

export interface Answer {
  /** As HTTP counts it, over each transport. */
  status: number;
  /** The answer, or the problem, as JSON. */
  body: string;
  /** Where the transport has read it already. */
  orderId?: string;
  /** When a refused order may come again, in milliseconds. */
  retryAfterMs?: number;
}

export interface GatewayConnection {
  /** Hands over one order. Rejects when no answer came: the order may or may not have been accepted. */
  post(body: string | Uint8Array, token: string | undefined): Promise<Answer>;
  close(): void;
}
