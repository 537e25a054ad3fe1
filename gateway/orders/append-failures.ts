// Compares failed appends with the answers of Kafka. Used by kafka-health.ts.

/**
 * For this long an answer of Kafka and a failed append may contradict each other: Kafka answers that all is well, and takes no orders. Acknowledged appends
 * end a trouble only when no append has failed for this long, because they may be of other partitions than the failed appends.
 */
const BELIEVED_MS = 15_000;

/** Appends that failed, and what they say about Kafka's answers: whether to believe an answer that all is well, and when the failures are over. */
export class AppendFailures {
  readonly #now: () => number;
  /** When Kafka last answered that all is well. */
  #wellAt = Number.NEGATIVE_INFINITY;
  /** Until then an answer that all is well is not believed. */
  #doubtedUntil = Number.NEGATIVE_INFINITY;
  /** When an append last failed; `undefined` once the failures are over or an outage explains them. */
  #failedAt: number | undefined;
  /** When an append was last acknowledged during a trouble. */
  #acknowledgedAt = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether an append has failed, and the failures are neither over nor explained by an outage. */
  get isOpen(): boolean {
    return this.#failedAt !== undefined;
  }

  failed(): void {
    this.#failedAt = this.#now();
    if (this.#failedAt - this.#wellAt < BELIEVED_MS) this.#doubtedUntil = this.#failedAt + BELIEVED_MS;
  }

  answeredWell(): void {
    this.#wellAt = this.#now();
  }

  /** Kafka has an outage. If no append is acknowledged either, the outage explains the failures: they say nothing more when it ends. */
  explained(): void {
    if (this.#now() - this.#acknowledgedAt >= BELIEVED_MS) this.#forget();
  }

  /** Whether an answer that all is well is not to be believed now. */
  contradictAnswers(): boolean {
    return this.#now() < this.#doubtedUntil;
  }

  /** An append was acknowledged. @returns whether the failures are over */
  refuted(): boolean {
    this.#acknowledgedAt = this.#now();
    if (this.#failedAt !== undefined && this.#acknowledgedAt - this.#failedAt < BELIEVED_MS) return false;
    this.#forget();
    return true;
  }

  #forget(): void {
    this.#wellAt = Number.NEGATIVE_INFINITY;
    this.#doubtedUntil = Number.NEGATIVE_INFINITY;
    this.#failedAt = undefined;
  }
}
