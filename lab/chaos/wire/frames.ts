// Reads the framing and the headers of Kafka's protocol. Used by the wire, and by a proxy of the tests.

/** Bytes of a message's length, which stand before it. */
const LENGTH_BYTES = 4;

/** Cuts a connection's bytes into whole Kafka messages, each with its length before it. Pieces of the stream may end anywhere. */
export class FrameCutter {
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** With fewer bytes than this there is no whole message: pieces are joined once a message, not once a piece. */
  #needed = LENGTH_BYTES;

  /** @throws when a length is negative: this is not Kafka's protocol */
  push(piece: Buffer, onFrame: (frame: Buffer) => void): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes < this.#needed) return;
    let rest = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces);
    this.#needed = LENGTH_BYTES;
    while (rest.length >= LENGTH_BYTES) {
      const length = rest.readInt32BE(0);
      if (length < 0) throw new Error(`a message of ${length} bytes is not Kafka's`);
      const end = LENGTH_BYTES + length;
      if (rest.length < end) {
        this.#needed = end;
        break;
      }
      onFrame(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
  }
}

/** Requests whose answers can be lost, by Kafka's names and numbers. */
export const apiKeys = {
  Produce: 0,
  Fetch: 1,
  Metadata: 3,
  OffsetCommit: 8,
  OffsetFetch: 9,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  LeaveGroup: 13,
  SyncGroup: 14,
} as const;
export type RequestKind = keyof typeof apiKeys;

export interface RequestHead {
  apiKey: number;
  correlationId: number;
  /** Empty when the client has no name. */
  clientId: string;
}

/** The beginning of a request. It is the same in every version of every request. */
export function requestHead(frame: Buffer): RequestHead {
  const nameBytes = frame.readInt16BE(12);
  return {
    apiKey: frame.readInt16BE(4),
    correlationId: frame.readInt32BE(8),
    clientId: nameBytes <= 0 ? '' : frame.toString('utf8', 14, 14 + nameBytes),
  };
}

/** Which request an answer is to. */
export function answeredRequest(frame: Buffer): number {
  return frame.readInt32BE(4);
}
