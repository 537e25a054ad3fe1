import { protocolErrorsCodesById } from '@platformatic/kafka';
import { KafkaSetupError, KafkaUnavailableError, RecordRefusedError, RecordTooLargeError } from '../errors.ts';

/*
 * Every error that a broker answers a Produce request with (Kafka's protocol guide, "Error Codes"; ProduceResponse.json lists those of the request),
 * and whose it is. What is not listed is the broker's affair and passes: it is tried again.
 */

/** Already in the log: a repetition whose first acknowledgement was lost. */
const DUPLICATE_SEQUENCE_NUMBER = 46;
const tooLarge = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
/** For an operator to mend. INVALID_TIMESTAMP: this machine's clock is further from the broker's than the topic allows. */
const setup = new Set([
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_REQUIRED_ACKS',
  'INVALID_TIMESTAMP',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'POLICY_VIOLATION',
]);
/** The broker's memory of this producer and ours differ: only a new producer id helps. */
const lostProducer = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'UNKNOWN_PRODUCER_ID',
  'PRODUCER_FENCED',
]);

/** What follows from a broker's answer for one batch. */
export type ProduceVerdict =
  | { kind: 'acknowledged' }
  /** The same again gets the same answer, until an operator acts where the error is a `KafkaSetupError`. */
  | { kind: 'refused'; error: RecordRefusedError | KafkaSetupError }
  | { kind: 'retry'; error: KafkaUnavailableError; newProducer: boolean };

/** @param where what was written to, for a person: `topic raw-orders` */
export function produceVerdict(where: string, errorCode: number, errorMessage: string | null): ProduceVerdict {
  if (errorCode === 0 || errorCode === DUPLICATE_SEQUENCE_NUMBER) return { kind: 'acknowledged' };
  const name = protocolErrorsCodesById[errorCode as keyof typeof protocolErrorsCodesById] ?? `error ${errorCode}`;
  const refusal = refusalOf(name, `${where}: ${name}${errorMessage === null ? '' : `: ${errorMessage}`}`);
  if (refusal !== undefined) return { kind: 'refused', error: refusal };
  return { kind: 'retry', error: new KafkaUnavailableError(`${where}: ${name}`), newProducer: lostProducer.has(name) };
}

/** The error of a final refusal by the protocol's name of it; undefined for what passes. */
export function refusalOf(name: string, message: string): RecordRefusedError | KafkaSetupError | undefined {
  if (tooLarge.has(name)) return new RecordTooLargeError(message);
  // A compacted topic wants a key, for example.
  if (name === 'INVALID_RECORD') return new RecordRefusedError(message);
  return setup.has(name) ? new KafkaSetupError(message) : undefined;
}
