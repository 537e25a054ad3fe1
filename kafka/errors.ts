/** Kafka could not be reached or did not acknowledge in time: an outage, never the fault of a record. Retry. */
export class KafkaUnavailableError extends Error {
  override name = 'KafkaUnavailableError';
}
