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
  override name = 'KafkaUnavailableError';
}

/** Kafka will not take this record, now or later: its topic does not exist, or it is larger than the topic allows. */
export class RecordRefusedError extends Error {
  override name = 'RecordRefusedError';
}
