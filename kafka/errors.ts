/** The broker no longer counts this member in the group's current generation. */
export class NotAMemberError extends Error {
  override name = 'NotAMemberError';
}

/** A client of a group's member must not go on: another client has taken its place, or the member leaves. Kept within the room. */
export class SupersededError extends Error {
  override name = 'SupersededError';
  /** For kafkajs, which otherwise tries again. */
  readonly retriable = false;
}

/** Kafka could not be reached or did not acknowledge in time: an outage, never the fault of a record. Retry. */
export class KafkaUnavailableError extends Error {
  override name: string = 'KafkaUnavailableError';
}

/**
 * Kafka answers, and refuses what an operator has to mend: a topic or partition does not exist, a permission is missing. It lasts until then and is
 * never the fault of a record, so whoever retries an outage retries this too.
 */
export class KafkaSetupError extends KafkaUnavailableError {
  override name = 'KafkaSetupError';
}

/** Kafka will not take this record, now or later. The same record again gets the same answer. */
export class RecordRefusedError extends Error {
  override name: string = 'RecordRefusedError';
}

/** The record is larger than its topic (`max.message.bytes`) or this producer allows. */
export class RecordTooLargeError extends RecordRefusedError {
  override name = 'RecordTooLargeError';
}
