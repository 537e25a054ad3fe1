/**
 * A limit on the messages in flight, in number and bytes. First come, first served. A message larger than the limit passes when no other
 * message is in flight, so that it doesn't wait for ever. `OrderedPublisher` has one.
 */
export class Window {
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  readonly #waiting: { bytes: number; enter: () => void }[] = [];
  #messages = 0;
  #bytes = 0;

  constructor(messagesMax: number, bytesMax: number) {
    this.#messagesMax = messagesMax;
    this.#bytesMax = bytesMax;
  }

  /** The messages in flight now. */
  get outstanding(): { messages: number; bytes: number } {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  /** Resolves when there is room; the caller then owes a `leave` of the same size. */
  enter(bytes: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(bytes)) {
      this.#take(bytes);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#waiting.push({ bytes, enter: resolve });
    });
  }

  leave(bytes: number): void {
    this.#messages--;
    this.#bytes -= bytes;
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#take(next.bytes);
      next.enter();
    }
  }

  #fits(bytes: number): boolean {
    if (this.#messages === 0) return true;
    return this.#messages < this.#messagesMax && this.#bytes + bytes <= this.#bytesMax;
  }

  #take(bytes: number): void {
    this.#messages++;
    this.#bytes += bytes;
  }
}
