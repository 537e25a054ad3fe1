import { protocolErrorsCodesById } from '@platformatic/kafka';

/**
 * What an answer to a produce request says of its batch.
 *
 * - `taken`: it is in the log.
 * - `too-large`, `refused`: nothing of it is, and repeating it as it is does not help. Several records are tried in smaller batches; one alone is refused for good.
 * - `new-identity`: the broker's memory of this producer and ours differ. Only a new producer id helps.
 * - `absent`: the topic or the partition is not known there (yet).
 * - `retry`: an outage or a change of leaders, permissions or versions: good records wait until it is over.
 */
export type ProduceVerdict = 'taken' | 'too-large' | 'refused' | 'new-identity' | 'absent' | 'retry';

/**
 * The answers that don't mean "again later", by Kafka's name (org.apache.kafka.common.protocol.Errors). Everything else does, above all missing permissions
 * (TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED, SASL_AUTHENTICATION_FAILED): a deployment gone wrong must not refuse one good
 * record after the other. A code that this table does not know is repeated until the record's deadline, and the deadline is an outage.
 */
const verdicts: Readonly<Record<string, ProduceVerdict>> = {
  NONE: 'taken',
  // A repetition whose first acknowledgement was lost.
  DUPLICATE_SEQUENCE_NUMBER: 'taken',
  MESSAGE_TOO_LARGE: 'too-large',
  RECORD_LIST_TOO_LARGE: 'too-large',
  INVALID_TOPIC_EXCEPTION: 'refused',
  INVALID_TIMESTAMP: 'refused',
  INVALID_RECORD: 'refused',
  POLICY_VIOLATION: 'refused',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'new-identity',
  INVALID_PRODUCER_EPOCH: 'new-identity',
  INVALID_PRODUCER_ID_MAPPING: 'new-identity',
  UNKNOWN_PRODUCER_ID: 'new-identity',
  PRODUCER_FENCED: 'new-identity',
  UNKNOWN_TOPIC_OR_PARTITION: 'absent',
  UNKNOWN_TOPIC_ID: 'absent',
};

const byCode = new Map(Object.entries(protocolErrorsCodesById).map(([code, name]) => [Number(code), name as string]));

export function produceVerdict(code: number): ProduceVerdict {
  return verdicts[byCode.get(code) ?? ''] ?? 'retry';
}

export function produceVerdictByName(name: string): ProduceVerdict {
  return verdicts[name] ?? 'retry';
}
