/** The broker no longer counts this member in the group's current generation. */
export class NotAMemberError extends Error {
  override name = 'NotAMemberError';
}

/** A client of a group member must stop: another client has taken its place, or the member leaves. Not visible outside of this room. */
export class SupersededError extends Error {
  override name = 'SupersededError';
  /** For kafkajs, which would try again otherwise. */
  readonly retriable = false;
}

/** Kafka could not be reached or did not acknowledge in time. An outage, never the fault of a record: retry. */
export class KafkaUnavailableError extends Error {
  override name: string = 'KafkaUnavailableError';
}

/** A partition takes no records because it has no leader. Other partitions of the topic may still take records. */
export class PartitionUnavailableError extends KafkaUnavailableError {
  override name = 'PartitionUnavailableError';
}

/**
 * Kafka answers, and refuses because of something that an operator must correct: a topic or partition does not exist, or a permission is
 * missing. It is never the fault of a record, and it is retried like an outage.
 */
export class KafkaSetupError extends KafkaUnavailableError {
  override name: string = 'KafkaSetupError';
}

/** What an operator must correct: the user or the password, a right, or the certificates. */
export type RefusalReason = 'authentication' | 'authorization' | 'tls';

/**
 * Kafka does not accept this client: it does not know the user or the password, a right is missing, or TLS fails. No outage, and never the
 * fault of a record: it is tried again until an operator has corrected it.
 */
export class KafkaRefusedError extends KafkaSetupError {
  override name = 'KafkaRefusedError';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Kafka will never take this record: the same record gets the same answer. */
export class RecordRefusedError extends Error {
  override name: string = 'RecordRefusedError';
}

/** The record is larger than its topic (`max.message.bytes`) or this producer allows. */
export class RecordTooLargeError extends RecordRefusedError {
  override name = 'RecordTooLargeError';
}

/**
 * The message of the innermost error, with the protocol's name of the request. @platformatic/kafka wraps an error in layers (`cause`, and
 * `errors` of an aggregate), and the outer layers say only which request failed.
 */
export function reasonOf(error: Error): string {
  const { errors, apiId } = error as { errors?: unknown; apiId?: unknown };
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const inner = first ?? error.cause;
  if (inner instanceof Error) return reasonOf(inner);
  return typeof apiId === 'string' ? `${apiId}: ${error.message}` : error.message;
}
