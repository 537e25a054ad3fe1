/** The broker no longer counts this member in the group's current generation. */
export class NotAMemberError extends Error {
  override name = 'NotAMemberError';
}

/** Kafka could not be reached or did not acknowledge in time: an outage, never the fault of a record. Retry. */
export class KafkaUnavailableError extends Error {
  override name = 'KafkaUnavailableError';
}

/** Kafka will not take this record, now or later: its topic does not exist, or it is larger than the topic allows. */
export class RecordRefusedError extends Error {
  override name = 'RecordRefusedError';
}

/** The topic or the partition does not exist. Nothing is wrong with the record: once the topic is made, it is taken. */
export class TopicAbsentError extends RecordRefusedError {
  override name = 'TopicAbsentError';
}
